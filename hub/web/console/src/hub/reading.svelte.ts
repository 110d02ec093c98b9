// Something read from the hub: its value, when it was read, what went wrong. While it is read anew the
// old value stays; an answer that comes too late for its question is dropped.
import { live, type Topic } from "./live.svelte";
import { Problem } from "./api";

const PAUSE_MS = 400; // changes that come together are one reading
const MOST_PAUSE_MS = 30_000;
const SHARE = 10; // a tenth of the time at the most goes into reading, however much changes

export class Reading<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<unknown>(null);
  isBusy = $state(false);
  readAt = $state<number | null>(null);
  #question = 0;
  #timer = 0;
  #notBefore = 0;

  constructor(private readonly read: () => Promise<T>) {}

  async load(): Promise<void> {
    const question = ++this.#question;
    this.isBusy = true;
    const began = performance.now();
    try {
      const value = await this.read();
      if (question !== this.#question) return;
      this.value = value;
      this.error = null;
      this.readAt = Date.now();
    } catch (error) {
      if (question !== this.#question) return;
      if (error instanceof Problem && error.status === 401) return; // whoever signs in again has it read anew
      this.error = error;
    } finally {
      if (question === this.#question) this.isBusy = false;
      const now = performance.now();
      this.#notBefore = now + Math.min((now - began) * SHARE, MOST_PAUSE_MS);
    }
  }
  /** Read anew soon: many calls within a moment are one, and a stream of them does not put it off. */
  soon(): void {
    if (this.#timer) return;
    const pause = Math.max(PAUSE_MS, this.#notBefore - performance.now());
    this.#timer = window.setTimeout(() => { this.#timer = 0; void this.load(); }, pause);
  }
  stop(): void {
    window.clearTimeout(this.#timer);
    this.#timer = 0;
    this.#question++;
  }
}

/** In a component: read now, whenever what `read` depends on changes, and when rows of `topics` change. */
export function reading<T>(read: () => Promise<T>, ...topics: Topic[]): Reading<T> {
  const it = new Reading(read);
  $effect(() => {
    void it.load(); // what `read` touches before its first await is what it depends on
    return () => it.stop();
  });
  $effect(() => {
    const ends = [live.onResync(() => it.soon()), ...topics.map((topic) => live.follow(topic, () => it.soon()))];
    return () => ends.forEach((end) => end());
  });
  return it;
}
