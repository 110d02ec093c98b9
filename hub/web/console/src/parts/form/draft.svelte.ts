// What a person types into a form until it is saved: whether it differs from what is stored, what the
// hub refused about which field, and what somebody else changed meanwhile. Leaving asks first.
import { Problem } from "$/hub/api";
import { router } from "$/shell/router.svelte";
import { changesOf, placeOf, type Change } from "./changes";
import { words } from "./words";

export class Draft<T extends object> {
  value = $state() as T;
  problem = $state.raw<unknown>(null);
  isBusy = $state(false);
  /** What somebody else changed since this was read; saving waits for a decision. */
  theirs = $state.raw<readonly Change[]>([]);
  #stored = $state.raw<T>() as T;
  #now: T | null = null;

  constructor(stored: T) {
    this.#stored = stored;
    this.value = structuredClone(stored);
  }
  get isDirty(): boolean {
    return changesOf(this.#stored, this.plain()).length > 0;
  }
  /** Begin anew from what is stored. */
  reset(stored: T): void {
    this.#stored = stored;
    this.value = structuredClone(stored);
    this.problem = null;
    this.theirs = [];
    this.#now = null;
  }
  /** A copy that can be sent. */
  plain(): T {
    return $state.snapshot(this.value) as T;
  }
  /** The hub's sentence about a field ("options.address"), "" for none. */
  errorOf(field: string): string {
    return this.problem instanceof Problem ? placeOf(this.problem.errors, field) : "";
  }
  /** Save. With `read` what is stored is looked at first: what others changed is shown, not lost. */
  async save(work: (value: T) => Promise<unknown>, read?: () => Promise<T>): Promise<boolean> {
    this.isBusy = true;
    this.problem = null;
    try {
      if (read && !this.theirs.length) {
        const now = await read();
        const theirs = changesOf(this.#stored, now);
        if (theirs.length) {
          this.theirs = theirs;
          this.#now = now;
          return false;
        }
      }
      await work(this.plain());
      this.#stored = this.plain();
      this.theirs = [];
      return true;
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) this.problem = error;
      return false;
    } finally {
      this.isBusy = false;
    }
  }
  takeTheirs(): void {
    if (this.#now) this.reset(this.#now);
  }
}

/** In a component: whoever leaves the page with something unsaved is asked first. */
export function guardLeaving(isDirty: () => boolean): void {
  $effect(() => router.guard(() => !isDirty() || window.confirm(words.leave)));
  $effect(() => {
    const ask = (event: BeforeUnloadEvent): void => { if (isDirty()) event.preventDefault(); };
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  });
}
