// What the list is narrowed to. All of it lies in the address, so that a view can be kept and sent.
import { colourAt, isOpen, titleOf, type Alert, type Sort } from "./need";

export type Grouping = "" | "area" | "rule" | "device" | "parent";
export interface Filter {
  area: number | null;
  severity: string;
  colour: string;
  /** "": all that are open; else one state, or "taken": somebody has it. */
  state: string;
  /** "me", "nobody", or "" for whoever. */
  who: string;
  /** "" with exercises, "no" without, "only". */
  drill: string;
  q: string;
  rule: number | null;
  device: number | null;
  parent: number | null;
  /** What counts in this alert for many. */
  into: number | null;
  sort: Sort;
  group: Grouping;
}
const SORTS: readonly Sort[] = ["need", "newest", "oldest", "deadline"];
const GROUPINGS: readonly Grouping[] = ["", "area", "rule", "device", "parent"];
/** The keys of the address that belong to a view; what is selected does not. */
export const KEYS = ["area", "severity", "colour", "state", "who", "drill", "q", "rule", "device", "parent", "into", "sort", "group"] as const;

const among = <T extends string>(value: string | null, all: readonly T[], otherwise: T): T => all.find((one) => one === value) ?? otherwise;
const number = (value: string | null): number | null => (value && /^[1-9]\d{0,15}$/.test(value) ? Number(value) : null);

/** Read a filter; what makes no sense narrows nothing. */
export function readFilter(query: URLSearchParams): Filter {
  const of = (key: string): string | null => query.get(key);
  return {
    area: number(of("area")),
    severity: among(of("severity"), ["", "critical", "warning", "info"], ""),
    colour: among(of("colour"), ["", "green", "yellow", "red"], ""),
    state: among(of("state"), ["", "firing", "taken", "acknowledged", "assigned", "resolved"], ""),
    who: among(of("who"), ["", "me", "nobody"], ""),
    drill: among(of("drill"), ["", "no", "only"], ""),
    q: (of("q") ?? "").slice(0, 128),
    rule: number(of("rule")),
    device: number(of("device")),
    parent: number(of("parent")),
    into: number(of("into")),
    sort: among(of("sort"), SORTS, "need"),
    group: among(of("group"), GROUPINGS, ""),
  };
}

/** Tell whether it leaves anything out, apart from what is over. */
export function isNarrowed(filter: Filter): boolean {
  const { sort: _sort, group: _group, ...rest } = filter;
  return Object.values(rest).some((value) => value !== null && value !== "");
}

/** The part of an address's query that is a view. */
export function viewOf(query: URLSearchParams): string {
  const kept = new URLSearchParams();
  for (const key of KEYS) { const value = query.get(key); if (value) kept.set(key, value); }
  return kept.toString();
}

/** What the hub is asked for; the rest is narrowed here, at once. What is over is asked for page by page. */
export function askedOf(filter: Filter): Record<string, string | number | boolean> {
  const asked: Record<string, string | number | boolean> = { drill: true };
  if (filter.area !== null) asked["area"] = filter.area;
  if (filter.rule !== null) asked["rule"] = filter.rule;
  if (filter.device !== null) asked["device_id"] = filter.device;
  if (filter.parent !== null) asked["parent"] = filter.parent;
  if (filter.into !== null) asked["folded_into"] = filter.into;
  if (filter.state !== "resolved") return { ...asked, open: true, sort: "severity", limit: 500 };
  if (filter.severity) asked["severity"] = filter.severity;
  if (filter.q) asked["q"] = filter.q;
  if (filter.who === "me") asked["assigned_to"] = "me";
  return { ...asked, drill: filter.drill !== "no", status: "resolved", limit: 100 };
}

export interface Surroundings { me: number; now: number; isInside: (areaId: number, of: number) => boolean }

/** Tell whether an alert is one of those that a filter shows. Uplinks are known to the hub alone. */
export function fits(alert: Alert, filter: Filter, around: Surroundings): boolean {
  const q = filter.q.trim().toLowerCase();
  return (
    (filter.state === "resolved" ? !isOpen(alert) : isOpen(alert)) &&
    (filter.state === "" || filter.state === "resolved" || alert.status === filter.state || (filter.state === "taken" && alert.status !== "firing")) &&
    alert.folded_into === filter.into &&
    (filter.severity === "" || alert.severity === filter.severity) &&
    (filter.colour === "" || colourAt(alert, around.now) === filter.colour) &&
    (filter.who === "" || (filter.who === "me" ? alert.assigned_to === around.me : alert.assigned_to === null)) &&
    (filter.drill === "" || (filter.drill === "only") === (alert.drill_id !== null)) &&
    (filter.rule === null || alert.rule_id === filter.rule) &&
    (filter.device === null || alert.device_id === filter.device) &&
    (filter.area === null || around.isInside(alert.area_id, filter.area)) &&
    (q === "" || [titleOf(alert), alert.area_name, alert.rule_name, alert.reason, String(alert.id)].some((text) => text.toLowerCase().includes(q)))
  );
}
