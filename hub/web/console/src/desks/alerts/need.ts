// How urgent an alert is: its colour now, and which comes first.
import type { Schemas } from "$/hub/api";

export type Alert = Schemas["AlertOut"];
export type Colour = Schemas["Colour"];
export type Severity = Schemas["Severity"];
export type Sort = "need" | "newest" | "oldest" | "deadline";

export const SEVERITY_RANK: Record<string, number> = { critical: 3, warning: 2, info: 1 };
const COLOUR_RANK: Record<Colour, number> = { red: 2, yellow: 1, green: 0 };

export const isOpen = (alert: Alert): boolean => alert.status !== "resolved";
export const isQuiet = (alert: Alert, now: number): boolean => isOpen(alert) && alert.quiet_until !== null && Date.parse(alert.quiet_until) > now;
export const titleOf = (alert: Alert): string => alert.device_name || alert.area_name;

/** How it stands to its deadline at a moment: as the hub reckons (hub/domain/alerts.py). */
export function colourAt(alert: Alert, now: number): Colour {
  if (alert.deadline === null || !isOpen(alert)) return "green";
  const due = Date.parse(alert.deadline);
  if (now >= due) return "red";
  return due - now <= alert.yellow_share * (due - Date.parse(alert.fired_at)) ? "yellow" : "green";
}

/** Compare two: what needs somebody most comes first. */
export function compareBy(sort: Sort, now: number): (a: Alert, b: Alert) => number {
  const newest = (a: Alert, b: Alert): number => Date.parse(b.fired_at) - Date.parse(a.fired_at) || b.id - a.id;
  if (sort === "newest") return newest;
  if (sort === "oldest") return (a, b) => newest(b, a);
  if (sort === "deadline") return (a, b) => dueOf(a) - dueOf(b) || newest(a, b);
  return (a, b) =>
    COLOUR_RANK[colourAt(b, now)] - COLOUR_RANK[colourAt(a, now)] ||
    (SEVERITY_RANK[b.severity] ?? 0) - (SEVERITY_RANK[a.severity] ?? 0) ||
    Number(b.status === "firing") - Number(a.status === "firing") ||
    newest(a, b);
}
const dueOf = (alert: Alert): number => (alert.deadline === null ? Number.MAX_SAFE_INTEGER : Date.parse(alert.deadline));

/** "1:02:03" or "04:59": a length of time counted to the second. */
export function clockOf(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)];
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${two(m)}:${two(s % 60)}`;
}
