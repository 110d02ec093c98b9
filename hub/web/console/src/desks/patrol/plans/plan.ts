// A plan as it is typed: what the API takes.
import { api, ask, type Schemas } from "$/hub/api";

/** Every field is there, as the hub shows it. */
export type PlanIn = Omit<Schemas["PlanOut"], "id">;
export type Plan = Schemas["PlanOut"];
export type WalkerKind = "anybody" | "person" | "role" | "roster";

export const walkerKind = (walker: PlanIn["details"]["walker"]): WalkerKind => (walker.is_roster ? "roster" : walker.role ? "role" : walker.user_id ? "person" : "anybody");

/** A plan for a beginning: each night half an hour after midnight. */
export function newPlan(siteZone: string, today: string): PlanIn {
  // A site that knows only its distance from UTC has no rules for changes of clocks: plans need a named zone.
  const zone = /^[A-Za-z]/.test(siteZone) ? siteZone : Intl.DateTimeFormat().resolvedOptions().timeZone;
  return {
    name: "", area_id: 0, rrule: "FREQ=DAILY;BYHOUR=0;BYMINUTE=30", time_zone: zone, starts_on: today, ends_on: null, exceptions: [], window_s: 900, lasts_s: 7200, seconds_per_stop: 5, mode: "mixed", order: "by_area", device_ids: null, is_enabled: true,
    details: {
      walker: { user_id: null, role: null, is_roster: false }, selection: { area_ids: [], classes: [], tags: [], polygon: [] }, preset: null, presets: {}, random_share: 0.05, second_share: 0.02, per_area: 2, within_rounds: 10, tolerance_s: 600, clip_s: 0, checklist: [], roll_call: null, report_receivers: [],
    },
  };
}
/** What is stored, as it can be sent back. */
export function typedOf(plan: Plan): PlanIn {
  const { id: _id, ...rest } = plan;
  return structuredClone(rest) as PlanIn;
}
export async function readPlans(): Promise<Plan[]> {
  const found: Plan[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await ask(api.GET("/api/v1/patrol-plans", { params: { query: { limit: 500, cursor: cursor ?? undefined } } }));
    found.push(...(page.items as unknown as Plan[]));
    cursor = page.next;
  } while (cursor);
  return found;
}
/** Corners of an outline, one a line: "120.1, 30.2"; null when a line is none. */
export function readCorners(text: string): [number, number][] | null {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  const corners = lines.map((line) => line.split(/[\s,，;]+/).map(Number));
  const isGood = corners.every((one) => one.length === 2 && one.every(Number.isFinite) && Math.abs(one[0] ?? 999) <= 180 && Math.abs(one[1] ?? 999) <= 90);
  if (!isGood || (corners.length > 0 && corners.length < 3)) return null;
  return corners as [number, number][];
}
