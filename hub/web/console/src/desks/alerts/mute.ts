// Silence of this screen that ends by itself. Time is passed in.
export interface Mute {
  until: number;
  /** A new critical alert ends it at once. */
  breaks: boolean;
}
export const MUTE_MINUTES = [5, 15, 60] as const;

export const muteFor = (minutes: number, breaks: boolean, now: number): Mute => ({ until: now + minutes * 60_000, breaks });
/** The mute as it is now: null once its time is over. */
export const muteAt = (mute: Mute | null, now: number): Mute | null => (mute !== null && now < mute.until ? mute : null);
/** The mute after something called: a critical alert may end it. */
export const muteAfter = (mute: Mute | null, severity: string): Mute | null => (mute?.breaks && severity === "critical" ? null : mute);

/** Read what was kept over a reload; nonsense, and what lasts longer than any, is no mute. */
export function readMute(text: string | null, now: number): Mute | null {
  const found = /^(\d{1,16}) ([01])$/.exec(text ?? "");
  if (!found) return null;
  const mute = { until: Number(found[1]), breaks: found[2] === "1" };
  return mute.until - now > 61 * 60_000 ? null : muteAt(mute, now);
}
export const writeMute = (mute: Mute): string => `${mute.until} ${mute.breaks ? 1 : 0}`;
