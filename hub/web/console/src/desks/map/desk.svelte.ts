// What the map knows: where devices are and how, open alerts, rates, outlines. Live rows change it; what
// came while a reading was under way is not lost to an answer that is a moment old.
import { api, ask, Problem, type Schemas } from "$/hub/api";
import { live } from "$/hub/live.svelte";
import type { Outline, Rate } from "./areas";
import { PointTable } from "./points";

export type AlertPoint = Schemas["AlertPointOut"];
export type DeviceLine = Schemas["DeviceLineOut"];
const RANKS: Record<string, number> = { green: 1, yellow: 2, red: 3 };
const RECENT_MS = 10_000; // an answer may be two seconds old when it comes
const SECOND_MS = 2_500;
const FLUSH_MS = 1_000; // a storm of changes is drawn once a second
const RATES_MS = 10_000;
const COLOURS_MS = 60_000; // a deadline passes without anybody telling

export class MapDesk {
  table = $state.raw<PointTable | null>(null);
  /** Grows with every change of the table, which is no state itself: it is too large for that. */
  version = $state(0);
  alerts = $state.raw<ReadonlyMap<number, AlertPoint>>(new Map());
  rates = $state.raw<ReadonlyMap<number, Rate>>(new Map());
  outlines = $state.raw<readonly Outline[]>([]);
  error = $state.raw<unknown>(null);
  /** Told which devices changed; null: all of them. */
  onchange: (ids: ReadonlySet<number> | null) => void = () => undefined;
  #recent = new Map<number, { status: string; at: number }>();
  #changed = new Set<number>();
  #isSecond = false;
  #elsewhere = new Set<number>(); // known not to be on the map
  #timers = new Map<string, number>();

  /** Begin to read and to follow; ends with the returned function. */
  start(): () => void {
    void this.load();
    const ends = [
      live.follow("devices", (rows) => this.#hear(rows)),
      live.follow("alerts", () => this.#later("alerts", 1_000, () => this.#readAlerts())),
      live.follow("area-outlines", () => this.#later("outlines", 1_000, () => this.#readOutlines())),
      live.onResync(() => this.#later("all", 500, () => this.load())),
    ];
    const clock = window.setInterval(() => void this.#quietly(() => this.#readAlerts()), COLOURS_MS);
    return () => {
      ends.forEach((end) => end());
      window.clearInterval(clock);
      this.#timers.forEach((timer) => window.clearTimeout(timer));
      this.#timers.clear();
    };
  }
  async load(): Promise<void> {
    try {
      await this.#readPoints();
      this.error = null;
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) this.error = error;
      return;
    }
    for (const read of [() => this.#readOutlines(), () => this.#readAlerts(), () => this.#readRates()]) void this.#quietly(read);
  }

  async #readPoints(): Promise<void> {
    const call = api.GET("/api/v1/map/points");
    const table = new PointTable(await ask(call));
    // The hub keeps an answer for two seconds: what changed before this page listened is read once more.
    const isKept = (await call).response.headers.get("Age") !== "0";
    if (isKept && !this.#isSecond) this.#later("points", SECOND_MS, () => this.#readPoints());
    this.#isSecond = isKept && !this.#isSecond;
    const oldest = Date.now() - RECENT_MS;
    for (const [id, news] of this.#recent) {
      if (news.at < oldest) this.#recent.delete(id);
      else if (!table.setState(id, news.status) && !table.has(id)) this.#elsewhere.add(id);
    }
    table.setAlerts(this.#ranks());
    this.table = table;
    this.#tell(null);
  }
  async #readAlerts(): Promise<void> {
    const said = await ask(api.GET("/api/v1/map/alerts"));
    this.alerts = new Map(said.items.map((one) => [one.device_id, one]));
    const changed = this.table?.setAlerts(this.#ranks()) ?? [];
    if (changed.length) this.#tell(new Set(changed));
  }
  async #readRates(): Promise<void> {
    const said = await ask(api.GET("/api/v1/map/rates"));
    this.rates = new Map(said.items.map((one) => [one.area_id, one]));
  }
  async #readOutlines(): Promise<void> {
    this.outlines = (await ask(api.GET("/api/v1/map/outlines"))).items;
  }
  #ranks(): Map<number, number> {
    return new Map([...this.alerts.values()].map((one) => [one.device_id, RANKS[one.colour] ?? 1]));
  }
  #hear(rows: readonly DeviceLine[]): void {
    const at = Date.now();
    for (const row of rows) {
      this.#recent.set(row.id, { status: row.status, at });
      if (this.table?.setState(row.id, row.status)) this.#changed.add(row.id);
      else if (this.table && !this.table.has(row.id) && row.registration === "approved" && !this.#elsewhere.has(row.id)) {
        this.#elsewhere.add(row.id); // its place may be new: looked for once
        this.#later("points", 3_000, () => this.#readPoints());
      }
    }
    if (!this.#changed.size) return;
    this.#later("flush", FLUSH_MS, async () => {
      const changed = this.#changed;
      this.#changed = new Set();
      this.#tell(changed);
    });
    this.#later("rates", RATES_MS, () => this.#readRates());
  }
  #tell(ids: ReadonlySet<number> | null): void {
    this.version++;
    this.onchange(ids);
  }
  /** Once, a while from now, however often it is asked for meanwhile. */
  #later(name: string, ms: number, work: () => Promise<void>): void {
    if (this.#timers.has(name)) return;
    this.#timers.set(name, window.setTimeout(() => { this.#timers.delete(name); void this.#quietly(work); }, ms));
  }
  async #quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Problem)) throw error; // the banner of the page tells of a hub that is away
    }
  }
}
