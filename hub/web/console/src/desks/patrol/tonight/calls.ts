// Which questions to duty rooms are shown, and in which order.
import type { Schemas } from "$/hub/api";

export type Call = Schemas["RoomCallOut"];
const SILENT_FOR_MS = 12 * 3_600_000; // a silent room is shown for a shift

export function isShown(call: Call, now: number): boolean {
  if (Date.parse(call.asked_at) > now) return false;
  if (call.state === "asked") return true;
  return call.state === "unanswered" && call.answered_at === null && now - Date.parse(call.answer_by) < SILENT_FOR_MS;
}
/** One's own question first, then silent rooms, then those that still have time. */
export function inOrder(calls: readonly Call[]): Call[] {
  const rank = (call: Call): number => (call.code ? 0 : call.state === "unanswered" ? 1 : 2);
  return [...calls].sort((a, b) => rank(a) - rank(b) || Date.parse(a.answer_by) - Date.parse(b.answer_by) || a.id - b.id);
}
