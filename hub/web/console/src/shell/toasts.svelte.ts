// Short notes about what was just done. What went wrong stays until it is closed.
import { Problem } from "$/hub/api";

export interface Note { id: number; text: string; kind: "done" | "trouble" }
class Toasts {
  notes = $state<Note[]>([]);
  #next = 1;
  say(text: string, kind: Note["kind"] = "done"): void {
    const note = { id: this.#next++, text, kind };
    this.notes = [...this.notes.slice(-4), note];
    if (kind === "done") setTimeout(() => this.close(note.id), 6000);
  }
  close(id: number): void {
    this.notes = this.notes.filter((note) => note.id !== id);
  }
}
export const toasts = new Toasts();
export const say = (text: string, kind: Note["kind"] = "done"): void => toasts.say(text, kind);

/** Do something that may fail: says what went wrong, returns whether it was done. */
export async function attempt(work: () => Promise<unknown>, done = ""): Promise<boolean> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return false; // the sign-in form says it
    toasts.say(troubleOf(error), "trouble");
    return false;
  }
  if (done) toasts.say(done);
  return true;
}

import { words } from "./words";
/** What to tell of an error, in words. */
export function troubleOf(error: unknown): string {
  if (!(error instanceof Problem)) return String(error);
  if (error.status === 0) return words.unreachable;
  if (error.status === 403) return words.forbidden;
  if (error.status === 429) return words.tooMany(error.waitS ?? 30);
  const fields = error.errors.map((field) => `${(field.loc ?? []).filter((part) => part !== "body").join(".")}: ${field.msg ?? ""}`);
  return [error.detail, ...fields].filter(Boolean).join(" · ");
}
