// Days of a calendar in the site's zone: a day lasts from midnight to midnight there, 23 to 25 hours.
// A day is a text ("2026-11-22"); arithmetic on days knows no clock. Pure.
import type { Schemas } from "$/hub/api";
import { toMoment, type Round } from "../rounds";

export type View = "month" | "week";
const DAY_MS = 86_400_000;
const utc = (day: string): number => Date.parse(`${day}T00:00:00Z`);
const text = (at: number): string => new Date(at).toISOString().slice(0, 10);

export const isDay = (day: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(utc(day));
export const addDays = (day: string, by: number): string => text(utc(day) + by * DAY_MS);
export function addMonths(day: string, by: number): string {
  const [year = 0, month = 1] = day.split("-").map(Number);
  return text(Date.UTC(year, month - 1 + by, 1));
}
/** The Monday of a day's week. */
export const mondayOf = (day: string): string => addDays(day, -((new Date(utc(day)).getUTCDay() + 6) % 7));
/** All days that a view shows: a week, or the whole weeks of a month. */
export function daysOf(view: View, day: string): string[] {
  if (view === "week") return Array.from({ length: 7 }, (_, at) => addDays(mondayOf(day), at));
  const first = mondayOf(`${day.slice(0, 7)}-01`);
  const after = addMonths(day, 1);
  const all: string[] = [];
  for (let one = first; one < after || all.length % 7; one = addDays(one, 1)) all.push(one);
  return all;
}
/** When a day begins by a zone's clock, as RFC 3339. */
export const beginOf = (day: string, zone: string): string => new Date(toMoment(utc(day), zone)).toISOString();

/** A round that was, is or is foreseen. */
export interface Entry { key: string; at: string; name: string; area: string; mode: Round["mode"]; round: Round | null; planId: number | null; isLeftOut: boolean; endsBy: string | null }

/** Rounds that there are, and what plans foresee beside them. */
export function join(rounds: readonly Round[], foreseen: readonly Schemas["OccurrenceOut"][], now: number): Entry[] {
  const key = (plan: number | null, at: string): string => `${plan}@${Date.parse(at)}`;
  const made = new Set(rounds.map((one) => key(one.plan_id, one.planned_at)));
  const all: Entry[] = rounds.map((one) => ({ key: `r${one.id}`, at: one.planned_at, name: one.plan_name, area: one.area_name, mode: one.mode, round: one, planId: one.plan_id, isLeftOut: false, endsBy: one.ends_by }));
  for (const one of foreseen) {
    // What lies behind us and was not made was planned by nobody then.
    if (made.has(key(one.plan_id, one.planned_at)) || (Date.parse(one.planned_at) <= now && !one.is_left_out)) continue;
    all.push({ key: `p${key(one.plan_id, one.planned_at)}`, at: one.planned_at, name: one.plan_name, area: one.area_name, mode: one.mode, round: null, planId: one.plan_id, isLeftOut: one.is_left_out, endsBy: one.ends_by });
  }
  return all.sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || a.key.localeCompare(b.key));
}
