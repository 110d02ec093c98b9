// What can be done with those who answered a look: which can be added, what they are called.
import type { Schemas } from "$/hub/api";

export type Find = Schemas["FindOut"];

/** New, and at an address that the hub may connect to. */
export const canAdd = (find: Find): boolean => !find.known && !find.trouble;

/** What can be added first, then what is known, then what is not allowed; each by its address. */
export function inOrder(finds: readonly Find[]): Find[] {
  const rank = (find: Find): number => (find.trouble ? 2 : find.known ? 1 : 0);
  return [...finds].sort((a, b) => rank(a) - rank(b) || compareHosts(a.host, b.host) || a.port - b.port || a.id - b.id);
}
function compareHosts(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** A name to begin with: the device's own, else what it is and where. */
export function firstName(find: Find): string {
  const own = find.name.trim();
  if (own) return own.slice(0, 128);
  return `${[find.manufacturer, find.model].filter(Boolean).join(" ")} ${find.host}`.trim().slice(0, 128);
}

/** "Gate 1", "Gate 2", … with as many digits as the last one has. */
export function numbered(prefix: string, count: number): string[] {
  const digits = String(count).length;
  const gap = /[\x20-\x7e]$/.test(prefix) ? " " : "";
  return Array.from({ length: count }, (_, at) => `${prefix}${gap}${String(at + 1).padStart(digits, "0")}`);
}

/** Whether one of the logins that were tried opens it, or none is needed. */
export const hasLogin = (find: Find): boolean => find.login === "open" || find.credential !== null;
