// What is done about alerts: one, or all that are chosen. Refused in words while the hub does not answer.
import { api, ask, Problem } from "$/hub/api";
import { drafts } from "$/hub/drafts";
import { live } from "$/hub/live.svelte";
import { session } from "$/hub/session.svelte";
import { say, troubleOf } from "$/shell/toasts.svelte";
import type { Schemas } from "$/hub/api";
import { board } from "./board.svelte";
import { words } from "./words";

export type Action = "acknowledge" | "assign" | "comment" | "snooze" | "resolve" | "reopen";
export type Asked = "assign" | "comment" | "snooze" | "resolve" | "reopen" | "silence" | "dispatch" | "takeOver";
type More = Partial<Pick<Schemas["BulkIn"], "note" | "user_id" | "seconds" | "if_free">>;
const MOST = 500;

class Deeds {
  /** What is being asked for, about which alerts. */
  open = $state.raw<{ what: Asked; ids: readonly number[] } | null>(null);
  isBusy = $state(false);

  ask(what: Asked, ids: readonly number[]): void {
    if (ids.length) this.open = { what, ids };
  }
  /** Tell whether the hub can be asked now; says so when not. */
  mayNow(): boolean {
    if (live.state === "live" || live.state === "connecting") return true;
    say(words.notNow, "trouble");
    return false;
  }
  /** Take what nobody has; for one that somebody else has, ask first. */
  async take(ids: readonly number[]): Promise<void> {
    const me = session.user?.id;
    const [only] = ids;
    const alert = ids.length === 1 && only !== undefined ? board.rows.get(only) : undefined;
    if (alert?.assigned_to === me && me !== undefined) return;
    if (alert && alert.assigned_to !== null) { this.ask("takeOver", ids); return; }
    await this.do("assign", ids, { if_free: true });
  }
  /** Do one thing about alerts; returns whether all was done. */
  async do(action: Action, ids: readonly number[], more: More = {}): Promise<boolean> {
    if (!ids.length || this.isBusy || !this.mayNow()) return false;
    this.isBusy = true;
    try {
      const whys: string[] = [];
      for (let at = 0; at < ids.length; at += MOST) {
        const said = await ask(api.POST("/api/v1/alerts/bulk", { body: { ids: ids.slice(at, at + MOST), action, note: "", ...more } as Schemas["BulkIn"] }));
        whys.push(...said.items.filter((line) => !line.is_done).map((line) => line.error ?? ""));
      }
      this.#tell(more.if_free ? "take" : action, ids.length, whys);
      return whys.length === 0;
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) say(troubleOf(error), "trouble");
      return false;
    } finally {
      this.isBusy = false;
    }
  }
  #tell(action: Action | "take", all: number, whys: readonly string[]): void {
    if (!whys.length) { say(all === 1 ? words.done[action] : words.doneFor(all, all)); return; }
    const counts = new Map<string, number>();
    for (const why of whys) counts.set(why, (counts.get(why) ?? 0) + 1);
    const lines = [...counts].map(([why, n]) => (all === 1 ? why : words.notFor(n, why)));
    say([...(all === 1 ? [] : [words.doneFor(all - whys.length, all)]), ...lines].join(" "), "trouble");
  }
}
export const deeds = new Deeds();

/** Under which name a text about alerts is kept until it is sent. */
export const draftKey = (what: string, ids: readonly number[]): string => `alert.${what}.${ids.length === 1 ? ids[0] : "many"}`;
export const dropDraft = (what: string, ids: readonly number[]): void => drafts.drop(draftKey(what, ids));
