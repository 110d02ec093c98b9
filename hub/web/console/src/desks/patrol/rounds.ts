// What can be said of rounds without asking the hub: their order on the screen, their forecast, tonight.
import type { Schemas } from "$/hub/api";

export type Round = Schemas["RoundOut"];
export type Stop = Schemas["StopOut"];

export const isWalked = (round: Round): boolean => round.state === "running" || round.state === "paused";
export const isOver = (round: Round): boolean => round.state === "finished" || round.state === "missed" || round.state === "cancelled";
export const isForPeople = (round: Round): boolean => round.mode !== "machine";
/** People are needed and nobody is there. */
export const isUnattended = (round: Round): boolean => isWalked(round) && isForPeople(round) && round.walker_id === null && round.stops_open > 0;

/** What needs somebody first: missed, unattended, past its end; then what runs, what comes, what is done. */
export function rankOf(round: Round, now: number): number {
  if (round.state === "missed") return 0;
  if (isUnattended(round)) return 1;
  if (isWalked(round) && round.ends_by !== null && Date.parse(round.ends_by) < now) return 2;
  if (isWalked(round)) return 3;
  if (round.state === "due") return 4;
  return 5;
}
export function inOrder(rounds: readonly Round[], now: number): Round[] {
  const at = (round: Round): number => Date.parse(round.planned_at);
  return [...rounds].sort((a, b) => {
    const rank = rankOf(a, now) - rankOf(b, now);
    if (rank) return rank;
    // What comes, the next first; all else, the newest first.
    return (a.state === "due" ? at(a) - at(b) : at(b) - at(a)) || b.id - a.id;
  });
}

/** How long whoever walks still needs at the plan's pace, in s; null where nobody has to. */
export function needs(round: Round): number | null {
  if (!isWalked(round) || !isForPeople(round)) return null;
  return round.stops_open * round.seconds_per_stop;
}
/** By how many seconds a walked round is thought to pass its end (negative: in time). */
export function overBy(round: Round, now: number): number | null {
  const need = needs(round);
  if (need === null || round.ends_by === null) return null;
  return (now - Date.parse(round.ends_by)) / 1000 + need;
}

/** A night lasts from noon to noon by the site's clock: the noon that began this one, in ms. */
export function nightOf(now: number, zone: string): { since: number; until: number } {
  const shift = offsetAt(now, zone);
  const wall = now + shift;
  const noon = Math.floor((wall - 43_200_000) / 86_400_000) * 86_400_000 + 43_200_000;
  return { since: toMoment(noon, zone), until: toMoment(noon + 86_400_000, zone) };
}
/** How far a zone's clock is ahead of UTC at a moment, in ms. */
export function offsetAt(at: number, zone: string): number {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
  const part = Object.fromEntries(format.formatToParts(at).map((one) => [one.type, Number(one.value)]));
  const wall = Date.UTC(part["year"] ?? 0, (part["month"] ?? 1) - 1, part["day"] ?? 1, part["hour"] ?? 0, part["minute"] ?? 0, part["second"] ?? 0);
  return wall - Math.floor(at / 1000) * 1000;
}
/** The moment at which a zone's clock shows a wall time (given as if it were UTC), across changes of clocks. */
export function toMoment(wall: number, zone: string): number {
  const first = wall - offsetAt(wall, zone);
  return wall - offsetAt(first, zone);
}
