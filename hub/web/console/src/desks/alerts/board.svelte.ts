// The alerts on the desk: read once, then kept by the live stream. One for the whole page, so that the
// list is as it was when somebody comes back from another desk.
import { SvelteSet } from "svelte/reactivity";
import { api, ask, Problem } from "$/hub/api";
import { areas } from "$/hub/areas.svelte";
import { live } from "$/hub/live.svelte";
import { Reading } from "$/hub/reading.svelte";
import { session } from "$/hub/session.svelte";
import { site } from "$/hub/site.svelte";
import { askedOf, fits, readFilter, type Filter, type Surroundings } from "./filters";
import { compareBy, isOpen, type Alert } from "./need";
import { arrange } from "./order";
import { paced } from "./paced";

const MOST_PAGES = 4; // of 500: more is no list that anybody works through
const LINGER_MS = 60_000;
const SOON_MS = 1000;

class Board {
  filter = $state.raw<Filter>(readFilter(new URLSearchParams()));
  rows = $state.raw<ReadonlyMap<number, Alert>>(new Map());
  shown = $state.raw<readonly number[]>([]);
  waiting = $state.raw<readonly number[]>([]);
  isStale = $state(false);
  error = $state.raw<unknown>(null);
  isBusy = $state(false);
  readAt = $state<number | null>(null);
  /** There are more open ones than were read. */
  isCut = $state(false);
  /** Where what is over goes on; null at its end. */
  next = $state<string | null>(null);
  chosen = new SvelteSet<number>();
  cursor = $state<number | null>(null);
  /** Which alerts hang on which uplink: the hub alone knows. */
  uplinks = new Reading(async () => (await ask(api.GET("/api/v1/alerts/groups", { params: { query: { by: "parent" } } }))).items);
  /** Where the list was scrolled to. */
  top = 0;
  #asked = "";
  #question = 0;
  #again = paced(SOON_MS, () => void this.read());
  #uplinksAgain = paced(SOON_MS * 3, () => void this.uplinks.load());
  #isFollowing = false;
  #arrived: Map<number, Alert> | null = null;
  #left = new Map<number, number>();

  /** Show what a filter asks for. */
  open(filter: Filter): void {
    this.filter = filter;
    this.#left.clear();
    this.shown = []; // nothing lingers of what another filter showed
    this.#follow();
    const asked = JSON.stringify(askedOf(filter));
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.rows = new Map();
    this.shown = [];
    this.readAt = null;
    void this.read();
  }
  /** Put the list in order: anew, or as far as holding still allows. */
  arrange(isHeld: boolean): void {
    const now = site.now();
    const around = this.#around(now);
    const wanted = [...this.rows.values()].filter((alert) => fits(alert, this.filter, around)).sort(compareBy(this.filter.sort, now)).map((alert) => alert.id);
    const due = new Set(wanted);
    for (const id of this.shown) if (!due.has(id) && this.rows.has(id) && !this.#left.has(id)) this.#left.set(id, now);
    for (const [id, since] of this.#left) if (due.has(id) || !this.rows.has(id) || (!isHeld && now - since >= LINGER_MS)) this.#left.delete(id);
    const found = arrange(this.shown, wanted, new Set(this.#left.keys()), isHeld && this.shown.length > 0);
    if (!isSame(found.shown, this.shown)) this.shown = found.shown;
    if (!isSame(found.waiting, this.waiting)) this.waiting = found.waiting;
    this.isStale = found.isStale;
    if (this.chosen.size && this.readAt !== null) for (const id of this.chosen) if (!this.rows.has(id)) this.chosen.delete(id);
  }
  /** It stays for a moment, but is not what the filter asks for any more. */
  isLeaving(id: number): boolean {
    const alert = this.rows.get(id);
    return alert !== undefined && !fits(alert, this.filter, this.#around(site.now()));
  }
  /** An alert as somebody just read it. */
  keep(alert: Alert): void {
    this.#take([alert]);
  }
  /** Read the list: all that is open, or one page of what is over. */
  async read(): Promise<void> {
    await this.#load(async (take) => {
      const pages = this.filter.state === "resolved" ? 1 : MOST_PAGES;
      let cursor: string | null = null;
      for (let page = 0; page < pages; page++) {
        cursor = await take(cursor, page === 0);
        if (cursor === null) break;
      }
      this.isCut = cursor !== null && this.filter.state !== "resolved";
      this.next = this.filter.state === "resolved" ? cursor : null;
    });
  }
  async readMore(): Promise<void> {
    const from = this.next;
    if (from !== null) await this.#load(async (take) => { this.next = await take(from, false); });
  }

  async #load(work: (take: (cursor: string | null, isFirst: boolean) => Promise<string | null>) => Promise<void>): Promise<void> {
    const question = ++this.#question;
    const query = askedOf(this.filter);
    this.isBusy = true;
    this.#arrived = new Map();
    const found = new Map<number, Alert>();
    let isAnew = false;
    try {
      await work(async (cursor, isFirst) => {
        const said = await ask(api.GET("/api/v1/alerts", { params: { query: { ...query, ...(cursor === null ? {} : { cursor }) } as never } }));
        if (question !== this.#question) throw new DOMException("asked anew", "AbortError");
        for (const alert of said.items) found.set(alert.id, alert);
        isAnew ||= isFirst;
        // The first page is shown at once.
        if (isFirst && this.readAt === null) { this.rows = new Map([...found, ...(this.#arrived ?? [])]); this.readAt = Date.now(); }
        return said.next ?? null;
      });
      const leaving = isAnew ? [...this.#left.keys()].flatMap((id) => { const alert = this.rows.get(id); return alert ? [[id, alert] as const] : []; }) : [...this.rows];
      this.rows = new Map([...leaving, ...found, ...this.#arrived]);
      this.error = null;
      this.readAt = Date.now();
    } catch (error) {
      if (question !== this.#question || (error instanceof DOMException && error.name === "AbortError")) return;
      if (!(error instanceof Problem && error.status === 401)) this.error = error;
    } finally {
      if (question === this.#question) { this.isBusy = false; this.#arrived = null; }
    }
  }
  #take(items: readonly Alert[]): void {
    const next = new Map(this.rows);
    const loose: Filter = { ...this.filter, severity: "", colour: "", who: "", drill: "", q: "", state: this.filter.state === "resolved" ? "resolved" : "" };
    const around = this.#around(site.now());
    for (const alert of items) {
      const isNew = !next.has(alert.id);
      if (isNew && !fits(alert, loose, around)) continue;
      if (isNew && this.filter.parent !== null) { this.soon(); continue; }
      next.set(alert.id, alert);
      this.#arrived?.set(alert.id, alert);
    }
    if (this.filter.state !== "resolved") for (const [id, alert] of next) if (!isOpen(alert) && !this.#left.has(id) && !this.shown.includes(id)) next.delete(id);
    this.rows = next;
    if (this.filter.group === "parent") this.#uplinksAgain.soon();
  }
  soon(): void {
    this.#again.soon();
  }
  #follow(): void {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    void areas.load();
    live.follow("alerts", (items) => this.#take(items));
    live.onResync(() => this.soon());
  }
  #around(now: number): Surroundings {
    return { me: session.user?.id ?? 0, now, isInside: (area, of) => areas.trail(area).some((one) => one.id === of) };
  }
}
const isSame = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((id, at) => id === b[at]);
export const board = new Board();
