// Where a live picture is played in what is buffered: near its end, without jerks, and without keeping
// the past. Pure: positions in seconds in, what to do out.

export interface Span { start: number; end: number }
export interface Steps {
  /** Go there; null stays. */
  seek: number | null;
  /** Go at once: there is nothing to be seen here. */
  isLost: boolean;
  /** How fast to play. */
  rate: number;
  /** Forget what lies before; null forgets nothing. */
  forget: number | null;
}

export const LAG_WANTED_S = 0.35; // enough for the pictures to come unevenly
const LAG_HURRY_S = 0.8;
const LAG_JUMP_S = 1.5;
const RATE_GENTLE = 1.08;
const RATE_HURRY = 1.35;
// Forgetting takes whole groups of pictures, up to the key picture that follows: what is kept must be
// longer than any group.
const KEPT_S = 30;
const SLACK_S = 10;

/** What to do about the place where it is played now. */
export function planSteps(at: number, spans: readonly Span[]): Steps {
  const last = spans.at(-1);
  if (!last) return { seek: null, isLost: false, rate: 1, forget: null };
  const forget = (spans[0]?.start ?? at) < at - KEPT_S - SLACK_S ? at - KEPT_S : null;
  const lag = last.end - at;
  // Beyond the end: the timeline began anew, further back.
  const isLost = at < last.start - 0.05 || lag < -0.5;
  if (isLost || lag > LAG_JUMP_S) return { seek: Math.max(last.start, last.end - LAG_WANTED_S), isLost, rate: 1, forget };
  return { seek: null, isLost, rate: rateFor(lag), forget };
}
function rateFor(lag: number): number {
  if (lag > LAG_HURRY_S) return RATE_HURRY;
  return lag > LAG_WANTED_S * 1.6 ? RATE_GENTLE : 1;
}

export function spansOf(ranges: TimeRanges): Span[] {
  return Array.from({ length: ranges.length }, (_none, n) => ({ start: ranges.start(n), end: ranges.end(n) }));
}

/** How long to wait before the next try to connect: longer each time, never all at once. */
export function retryAfterMs(tries: number, chance: number): number {
  return Math.min(10_000, 500 * 2 ** Math.min(tries, 6)) * (0.75 + chance / 2);
}

/** The time between two pictures, from when they come. */
export class Pace {
  #last = 0;
  #gap = 0;
  heard(at: number): void {
    if (this.#last) {
      const gap = Math.min(at - this.#last, 10_000);
      this.#gap = this.#gap ? this.#gap * 0.9 + gap * 0.1 : gap;
    }
    this.#last = at;
  }
  forget(): void {
    this.#last = 0;
    this.#gap = 0;
  }
  /** After how long without a picture it is frozen: a camera of one picture in two seconds is not. */
  get patienceMs(): number {
    return Math.min(8000, Math.max(2000, this.#gap * 3));
  }
}
