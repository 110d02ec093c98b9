// The list of devices behind the table: all numbers in order, and the lines of what has been looked at.
// One question is on its way at a time; while it is, only the newest wish waits.
import { SvelteSet } from "svelte/reactivity";
import { areas } from "$/hub/areas.svelte";
import { api, ask, Problem, type Schemas } from "$/hub/api";
import { mayMove } from "./changes";
import { apiQuery, showQuery, type Line, type Query } from "./query";

const MOST_LINES = 200; // of one question
const MOST_KEPT = 4000; // lines; the rest is asked for again
const COUNT_PAUSE_MS = 200;
const PAUSE_MS = 25; // of the scroll bar: rows flown over are not asked for

type Ordered = Pick<Schemas["DeviceOrderOut"], "at" | "ids" | "lines">;
type Counts = Schemas["DeviceCountsOut"];
/** What the hub is asked for. */
export interface Hub {
  order(query: Query, lines: number): Promise<Ordered>;
  lines(ids: readonly number[]): Promise<readonly Line[]>;
  counts(query: Query): Promise<Counts>;
}
const HUB: Hub = {
  order: (query, lines) => ask(api.GET("/api/v1/devices/order", { params: { query: { ...apiQuery(query), lines } } })),
  lines: async (ids) => (await ask(api.GET("/api/v1/devices/lines", { params: { query: { id: [...ids] } } }))).items,
  counts: ({ filter }) => ask(api.GET("/api/v1/devices/counts", { params: { query: filter } })),
};

export class DeviceList {
  ids = $state.raw<readonly number[]>([]);
  lines = $state.raw<ReadonlyMap<number, Line>>(new Map());
  counts = $state.raw<Counts | null>(null);
  orderedAt = $state<string | null>(null);
  error = $state.raw<unknown>(null);
  isBusy = $state(false);
  /** Devices that may have changed place since the list was put in order. */
  moved = $state.raw<ReadonlySet<number>>(new Set());
  /** The line to the hub was broken since: the order may be any. */
  isDoubtful = $state(false);
  /** Counts up when another list is shown: it is looked at from its beginning. */
  turn = $state(0);

  constructor(private readonly hub: Hub = HUB) {}

  #query: Query | null = null;
  #shown: string | null = null; // the query of which `ids` is
  #wanted: Query | null = null;
  #isAsking = false;
  #listed: ReadonlySet<number> | null = null; // made when somebody asks: most lists are typed away
  #seen: readonly [number, number] = [0, 60];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = new Set<number>();
  #silent = new SvelteSet<number>(); // asked for, and not visible to this person

  /** Show the list of a query; what comes of an older one is dropped. */
  order(query: Query, anew = false): void {
    if (!anew && !this.#isAsking && showQuery(query) === this.#shown) return;
    this.#query = query;
    this.#wanted = query;
    void this.#go();
  }
  again(): void {
    if (this.#query) this.order(this.#query, true);
  }
  async #go(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.isBusy = true;
    while (this.#wanted) {
      const query = this.#wanted;
      this.#wanted = null;
      try {
        const isOther = showQuery(query) !== this.#shown;
        const [from, to] = isOther ? [0, Math.min(MOST_LINES, Math.max(40, this.#seen[1] - this.#seen[0] + 1)) - 1] : this.#seen;
        const said = await this.hub.order(query, isOther ? to + 1 : 0);
        if (this.#wanted) continue; // somebody typed on
        this.#keep(said.lines);
        if (!isOther) await this.#read(said.ids.slice(from, to + 1).filter((id) => !this.lines.has(id)));
        if (this.#wanted) continue;
        this.#seen = [from, to];
        this.ids = said.ids;
        if (isOther) this.turn++;
        this.#listed = null;
        this.orderedAt = said.at;
        this.moved = new Set();
        this.#silent.clear();
        this.isDoubtful = false;
        this.error = null;
        this.#shown = showQuery(query);
        this.#countSoon(COUNT_PAUSE_MS);
      } catch (error) {
        if (error instanceof Problem && error.status === 401) break;
        if (!this.#wanted) this.error = error;
      }
    }
    this.#isAsking = false;
    this.isBusy = false;
  }
  /** Rows from the first to the last are seen: their lines are wanted. */
  see(first: number, last: number): void {
    this.#seen = [first, last];
    const missing = this.#missing();
    if (!missing.length) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#read(this.#missing()).catch((error: unknown) => { this.error = error; }), PAUSE_MS);
  }
  /** Whether the hub was asked for a device and said nothing of it. */
  isAnswered(id: number): boolean {
    return this.#silent.has(id);
  }
  #missing(): number[] {
    return this.ids.slice(this.#seen[0], this.#seen[1] + 1).filter((id) => !this.lines.has(id) && !this.#asked.has(id) && !this.#silent.has(id));
  }
  async #read(ids: readonly number[]): Promise<void> {
    for (let from = 0; from < ids.length; from += MOST_LINES) {
      const part = ids.slice(from, from + MOST_LINES);
      part.forEach((id) => this.#asked.add(id));
      try {
        const items = await this.hub.lines(part);
        this.#keep(items);
        const told = new Set(items.map((line) => line.id));
        for (const id of part) if (!told.has(id)) this.#silent.add(id);
      } finally {
        part.forEach((id) => this.#asked.delete(id));
      }
    }
  }
  #keep(items: readonly Line[]): void {
    const kept = new Map(this.lines.size > MOST_KEPT ? [] : this.lines);
    if (!kept.size) for (const id of this.ids.slice(this.#seen[0], this.#seen[1] + 1)) {
      const line = this.lines.get(id);
      if (line) kept.set(id, line);
    }
    for (const line of items) kept.set(line.id, line);
    this.lines = kept;
  }
  async #count(query: Query): Promise<void> {
    try {
      const counts = await this.hub.counts(query);
      if (query === this.#query) this.counts = counts;
    } catch {
      if (query === this.#query) this.counts = null; // no figure is better than an old one
    }
  }
  /** Devices changed: lines that are held change in place, the order stays. */
  take(items: readonly Line[]): void {
    if (!this.#query) return;
    const moved = new Set(this.moved);
    const listed = (this.#listed ??= new Set(this.ids));
    const isBelow = (area: number, top: number): boolean => areas.trail(area).some((one) => one.id === top);
    const held: Line[] = [];
    for (const line of items) {
      const before = this.lines.get(line.id);
      if (mayMove(line, before, listed.has(line.id), this.#query, isBelow)) moved.add(line.id);
      if (before) held.push(line);
    }
    if (held.length) this.#keep(held);
    this.moved = moved;
    if (items.length) this.#countSoon(1500);
  }
  #countTimer: ReturnType<typeof setTimeout> | undefined;
  /** Count soon: while somebody types, and of changes that come together, the last one counts. */
  #countSoon(pause: number): void {
    clearTimeout(this.#countTimer);
    this.#countTimer = setTimeout(() => { if (this.#query) void this.#count(this.#query); }, pause);
  }
  /** After a gap nothing held is sure: what is seen is read anew, the order is said to be doubtful. */
  doubt(): void {
    if (!this.orderedAt || this.error) { this.again(); return; }
    this.isDoubtful = true;
    this.lines = new Map([...this.lines].filter(([id]) => this.ids.slice(this.#seen[0], this.#seen[1] + 1).includes(id)));
    void this.#read(this.ids.slice(this.#seen[0], this.#seen[1] + 1)).catch((error: unknown) => { this.error = error; });
  }
  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#countTimer);
  }
}
