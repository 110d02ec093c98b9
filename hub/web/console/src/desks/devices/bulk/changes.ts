// What is ticked in the dialog, as the hub is asked for it; null while something ticked is not filled in.
import type { Schemas } from "$/hub/api";

export type Changes = Partial<Schemas["DeviceChangesIn"]>;
export const MOST = 5_000;
export const KINDS = ["area", "registration", "deviceClass", "team", "addTags", "removeTags", "parent", "window", "intervals", "profiles"] as const;
export type Kind = (typeof KINDS)[number];
export interface Filled {
  area: number | null; registration: "approved" | "retired"; deviceClass: string; team: string; addTags: string[]; removeTags: string[]; parent: number | null;
  from: Date | null; until: Date | null; reason: string; own: boolean; answer: number | null; stream: number | null; day: number | null; night: number | null;
}

export function changesOf(ticked: ReadonlySet<Kind>, filled: Filled): Changes | null {
  if (!ticked.size) return null;
  const made: Changes = {};
  const isFilled = KINDS.every((kind) => !ticked.has(kind) || fill(made, kind, filled));
  return isFilled ? made : null;
}

function fill(made: Changes, kind: Kind, filled: Filled): boolean {
  switch (kind) {
    case "area": made.area_id = filled.area; return filled.area !== null;
    case "registration": made.registration = filled.registration; return true;
    case "deviceClass": made.device_class = filled.deviceClass.trim(); return true;
    case "team": made.team = filled.team.trim(); return true;
    case "addTags": made.add_tags = filled.addTags; return filled.addTags.length > 0;
    case "removeTags": made.remove_tags = filled.removeTags; return filled.removeTags.length > 0;
    case "parent": made.parent_id = filled.parent; return true;
    case "window": return window(made, filled);
    case "intervals": return intervals(made, filled);
    case "profiles":
      if (filled.day === null || filled.night === null) return false;
      made.profiles = { day_id: filled.day, night_id: filled.night };
      return true;
  }
}
function window(made: Changes, { from, until, reason }: Filled): boolean {
  if (!until || !reason.trim() || (from && from >= until)) return false;
  made.window = { starts_at: from?.toISOString() ?? null, ends_at: until.toISOString(), reason: reason.trim() };
  return true;
}
function intervals(made: Changes, { own, answer, stream }: Filled): boolean {
  made.intervals = own ? { answer_s: answer, stream_s: stream } as NonNullable<Changes["intervals"]> : null;
  return !own || answer !== null || stream !== null;
}

/** The moment that clocks in a zone show as "2026-11-22T03:04"; null when it is none. */
export function momentIn(zone: string, text: string): Date | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)) return null;
  const wanted = Date.parse(`${text.slice(0, 16)}:00Z`);
  if (Number.isNaN(wanted)) return null;
  // Twice: the first guess may lie on the other side of a change of the clocks.
  let moment = wanted;
  for (let turn = 0; turn < 2; turn++) moment = wanted - (shownIn(zone, moment) - moment);
  return new Date(moment);
}
function shownIn(zone: string, moment: number): number {
  const text = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(moment);
  return Date.parse(`${text.replace(" ", "T")}Z`) + (moment % 1000);
}
