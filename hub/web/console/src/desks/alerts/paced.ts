// Reading anew, calmly: soon after a change, then not again before a pause, however many changes come.
const LEAD_MS = 300;

export interface Paced { soon: () => void; stop: () => void }
export function paced(pauseMs: number, act: () => void, now: () => number = Date.now): Paced {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let last = -Infinity;
  return {
    soon() {
      if (timer !== null) return;
      timer = setTimeout(() => { timer = null; last = now(); act(); }, Math.max(LEAD_MS, last + pauseMs - now()));
    },
    stop() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
