// A length of time in the unit in which people say it. Pure.
export type Unit = "s" | "min" | "h" | "d";
export const UNIT_S: Record<Unit, number> = { s: 1, min: 60, h: 3600, d: 86_400 };
const LARGEST_FIRST: readonly Unit[] = ["d", "h", "min", "s"];

/** The largest unit in which the seconds are a whole number; without any, seconds. */
export function unitOf(seconds: number | null): Unit {
  if (!seconds) return "s";
  return LARGEST_FIRST.find((unit) => seconds % UNIT_S[unit] === 0) ?? "s";
}
