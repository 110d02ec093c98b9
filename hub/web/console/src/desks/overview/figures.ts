// How figures of the overview are made of what the hub says. Unknown is a part of its own everywhere.
import type { Schemas } from "$/hub/api";

export type Summary = Schemas["AreaSummaryOut"];
export const STATUSES = ["online", "degraded", "offline", "unknown", "maintenance"] as const;

/** The share of managed devices of which it is known how they are; null without devices. */
export function known(summary: Summary): number | null {
  return summary.managed ? 1 - (summary.by_status["unknown"] ?? 0) / summary.managed : null;
}
/** Several areas as one. */
export function addUp(all: readonly Summary[]): Omit<Summary, "area"> {
  const sum = (of: (one: Summary) => Record<string, number>): Record<string, number> => {
    const total: Record<string, number> = {};
    for (const one of all) for (const [key, count] of Object.entries(of(one))) total[key] = (total[key] ?? 0) + count;
    return total;
  };
  const by_status = sum((one) => one.by_status);
  const managed = all.reduce((total, one) => total + one.managed, 0);
  const answering = (by_status["online"] ?? 0) + (by_status["degraded"] ?? 0);
  const outages = all.map((one) => one.longest_outage).filter((one) => one !== null);
  return {
    managed, by_status, first_faults: sum((one) => one.first_faults),
    online_now: managed ? answering / managed : null, intact_now: managed ? (by_status["online"] ?? 0) / managed : null,
    behind_parents: all.reduce((total, one) => total + one.behind_parents, 0), flapping: all.reduce((total, one) => total + one.flapping, 0),
    open_alerts: all.reduce((total, one) => total + one.open_alerts, 0),
    longest_outage: outages.sort((a, b) => a.started_at.localeCompare(b.started_at))[0] ?? null,
  };
}
/** The worst first: the share of devices that do not answer, then how many. */
export function worstFirst(all: readonly Summary[]): Summary[] {
  const key = (one: Summary): number => one.online_now ?? 2;
  return all.toSorted((a, b) => key(a) - key(b) || (b.by_status["offline"] ?? 0) - (a.by_status["offline"] ?? 0) || a.area.name.localeCompare(b.area.name));
}
