// Where a spell lies on a strip of days, in shares of its width. Pure.
export const DAY_MS = 86_400_000;
export interface Bar { left: number; width: number; isCutLeft: boolean; isCutRight: boolean }

/** The part of a spell that lies on the strip, null for none. */
export function barOf(start: number, end: number, from: number, days: number): Bar | null {
  const until = from + days * DAY_MS;
  if (end <= from || start >= until || end <= start) return null;
  const [left, right] = [Math.max(start, from), Math.min(end, until)];
  return { left: (left - from) / (until - from), width: (right - left) / (until - from), isCutLeft: start < from, isCutRight: end > until };
}
