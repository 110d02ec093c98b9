// The seven kinds of conditions: what each begins with, which parts of it are sent. Pure.
import type { Shape } from "../generic/spec";

export const TYPES = ["device_offline", "device_degraded", "point_beyond", "event_of_kind", "event_count", "nothing_seen", "combination"] as const;
export type ConditionType = (typeof TYPES)[number];
export const isKnown = (type: unknown): type is ConditionType => TYPES.includes(type as ConditionType);

const BLANK: Record<ConditionType, Shape> = {
  device_offline: { for_s: 30, clear_for_s: 0 },
  device_degraded: { layers: [], for_s: 300, clear_for_s: 0 },
  point_beyond: { point: "", direction: "above", threshold: null, clear: null, for_s: 0, clear_for_s: 0 },
  event_of_kind: { kind: "", clear_kind: "", auto_clear_s: null, distinguish_by: "" },
  event_count: { kind: "", count: 3, within_s: 600, per: "device", distinguish_by: "", clear_s: null },
  nothing_seen: { kind: "", point: "", for_s: 3600, expects_all: false },
  combination: { events: [{ kind: "", is_active: null }, { kind: "", is_active: null }], within_s: 60, per: "device", in_order: false, clear_s: 300, clear_kind: "" },
};

/** A condition of another kind; what both kinds know stays. */
export function become(type: ConditionType, before: Shape): Shape {
  const blank = structuredClone(BLANK[type]);
  const kept = Object.fromEntries(Object.entries(before).filter(([key]) => key in blank));
  return { type, device_kinds: before["device_kinds"] ?? [], ...blank, ...kept };
}

/** What is sent: empty seconds are none, a threshold without another value is well again at itself. */
export function sent(condition: Shape): Shape {
  if (!isKnown(condition["type"])) return condition;
  const result: Shape = { type: condition["type"], device_kinds: condition["device_kinds"] ?? [] };
  for (const key of Object.keys(BLANK[condition["type"]])) {
    const value = condition[key];
    const isSeconds = (key === "for_s" || key === "clear_for_s") && (value === null || value === undefined);
    if (key === "clear" && (value === null || value === undefined)) continue;
    result[key] = isSeconds ? 0 : value;
  }
  return result;
}

interface Run { count: number; looked: { from: string; until: string } }
/** Alerts a day of a dry run, "0.3". */
export function perDay(run: Run): string {
  const days = (Date.parse(run.looked.until) - Date.parse(run.looked.from)) / 86_400_000;
  return days > 0 ? String(Math.round((run.count / days) * 10) / 10) : "0";
}
