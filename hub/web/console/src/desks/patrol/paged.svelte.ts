// A list that is read page by page. Read anew, it holds as many as it held before.
import { untrack } from "svelte";
import { live, type Topic } from "$/hub/live.svelte";
import { Problem } from "$/hub/api";

interface Page<T> { items: readonly T[]; next?: string | null }
const PAUSE_MS = 400;
const MOST = 500;

export class Paged<T> {
  items = $state.raw<readonly T[]>([]);
  next = $state<string | null>(null);
  isKnown = $state(false);
  isBusy = $state(false);
  error = $state.raw<unknown>(null);
  #question = 0;
  #timer = 0;

  constructor(private readonly read: (limit: number, cursor: string | undefined) => Promise<Page<T>>, private readonly size: number) {}

  async load(): Promise<void> {
    const question = ++this.#question;
    await this.#ask(question, () => this.read(Math.min(MOST, Math.max(this.size, this.items.length)), undefined), (page) => page.items);
  }
  async more(): Promise<void> {
    const cursor = this.next;
    if (!cursor || this.isBusy) return;
    await this.#ask(this.#question, () => this.read(this.size, cursor), (page) => [...this.items, ...page.items]);
  }
  async #ask(question: number, read: () => Promise<Page<T>>, joined: (page: Page<T>) => readonly T[]): Promise<void> {
    this.isBusy = true;
    try {
      const page = await read();
      if (question !== this.#question) return;
      this.items = joined(page);
      this.next = page.next ?? null;
      this.isKnown = true;
      this.error = null;
    } catch (error) {
      if (question === this.#question && !(error instanceof Problem && error.status === 401)) this.error = error;
    } finally {
      if (question === this.#question) this.isBusy = false;
    }
  }
  soon(): void {
    // A stream of news must not put the reading off for ever: the first of them sets the time.
    this.#timer ||= window.setTimeout(() => {
      this.#timer = 0;
      void this.load();
    }, PAUSE_MS);
  }
  /** Another question: what was shown of the one before goes. */
  anew(): void {
    this.items = [];
    this.next = null;
    this.isKnown = false;
    void this.load();
  }
  stop(): void {
    window.clearTimeout(this.#timer);
    this.#timer = 0;
    this.#question++;
  }
}

/** In a component: read when `of` changes what it depends on, and again when rows of `topics` change. */
export function paged<T>(of: () => (limit: number, cursor: string | undefined) => Promise<Page<T>>, size: number, ...topics: Topic[]): Paged<T> {
  let read = of();
  const it = new Paged<T>((limit, cursor) => read(limit, cursor), size);
  $effect(() => {
    read = of();
    untrack(() => it.anew()); // what it holds is no reason to ask anew
    return () => it.stop();
  });
  $effect(() => {
    const ends = [live.onResync(() => it.soon()), ...topics.map((topic) => live.follow(topic, () => it.soon()))];
    return () => ends.forEach((end) => end());
  });
  return it;
}
