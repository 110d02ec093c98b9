// The figures of groups, as they are shown. Pure.
import type { Schemas } from "$/hub/api";

export type Group = Schemas["KpisOut"];
export const RATES = ["online_rate", "online_rate_snapshot", "intact_rate", "clock_rate", "recording_completeness", "labelling_rate"] as const;
export const SPANS = ["mttr_s", "mtbf_s", "longest_outage_s"] as const;
export const NAMES = [...RATES, ...SPANS, "outages"] as const;
export type Name = (typeof NAMES)[number];
export const isSpan = (name: Name): boolean => (SPANS as readonly string[]).includes(name);

/** The greatest first, what is withheld last. */
export function sorted(groups: readonly Group[], by: Name): Group[] {
  return groups.toSorted((a, b) => (b[by].value ?? -1) - (a[by].value ?? -1) || a.name.localeCompare(b.name));
}
/** The figures of a published month by one grouping; null where it was kept without. */
export function kept(figures: Record<string, unknown>, by: string): { total: Group; groups: Group[] } | null {
  const found = figures[by] as { total?: Group; groups?: Group[] } | undefined;
  const isWhole = (group: Group | undefined): group is Group => typeof group === "object" && NAMES.every((name) => typeof group[name] === "object");
  return isWhole(found?.total) && Array.isArray(found.groups) && found.groups.every(isWhole) ? { total: found.total, groups: found.groups } : null;
}
