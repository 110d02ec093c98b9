// Every device of the map in columns: 70,000 of them are looked through in a few milliseconds. Pure.
import type { Feature, Point } from "geojson";
import type { GeoJSONFeatureDiff } from "maplibre-gl";
import { boundsOf, type Bounds } from "$/parts/map/geography";
import { STATES, type State } from "$/parts/map/signs";

export interface Columns {
  states: readonly string[]; kinds: readonly string[]; unplaced: number;
  ids: readonly number[]; lon: readonly number[]; lat: readonly number[]; state: readonly number[]; kind: readonly number[]; areas: readonly number[];
}
/** What is shown: states that are not named are left out; null: every area, every kind. */
export interface Narrowing { states: ReadonlySet<State>; areas: ReadonlySet<number> | null; kind: string }
export interface PlacedFeature extends Feature<Point> { id: number; properties: { s: number; a: number } }

const GRID = 1_000_000;
const UNKNOWN = STATES.indexOf("unknown");

export class PointTable {
  readonly size: number;
  readonly kinds: readonly string[];
  readonly unplaced: number;
  #state: Uint8Array;
  #alert: Uint8Array;
  #row = new Map<number, number>();

  constructor(private readonly columns: Columns) {
    this.size = columns.ids.length;
    this.kinds = columns.kinds;
    this.unplaced = columns.unplaced;
    // What the hub calls a state that this page does not know is unknown, never good.
    const places = columns.states.map((name) => stateNumber(name));
    this.#state = Uint8Array.from(columns.state, (at) => places[at] ?? UNKNOWN);
    this.#alert = new Uint8Array(this.size);
    columns.ids.forEach((id, row) => this.#row.set(id, row));
  }
  has(id: number): boolean {
    return this.#row.has(id);
  }
  at(id: number): readonly [number, number] | null {
    const row = this.#row.get(id);
    return row === undefined ? null : this.#place(row);
  }
  state(id: number): State | null {
    const row = this.#row.get(id);
    return row === undefined ? null : (STATES[this.#state[row] ?? UNKNOWN] ?? "unknown");
  }
  /** Change a state; tells whether that was news. */
  setState(id: number, name: string): boolean {
    const row = this.#row.get(id);
    const state = stateNumber(name);
    if (row === undefined || this.#state[row] === state) return false;
    this.#state[row] = state;
    return true;
  }
  /** Set who has an open alert (0 none, 1 to 3 its colour); returns whose changed. */
  setAlerts(ranks: ReadonlyMap<number, number>): number[] {
    const changed: number[] = [];
    this.columns.ids.forEach((id, row) => {
      const rank = ranks.get(id) ?? 0;
      if (this.#alert[row] !== rank) { this.#alert[row] = rank; changed.push(id); }
    });
    return changed;
  }
  /** How many there are of each state, whatever states are shown. */
  count(narrowing: Narrowing): Record<State, number> {
    const found = new Uint32Array(STATES.length);
    for (let row = 0; row < this.size; row++) if (this.#fits(row, narrowing)) { const state = this.#state[row] ?? UNKNOWN; found[state] = (found[state] ?? 0) + 1; }
    return Object.fromEntries(STATES.map((state, at) => [state, found[at] ?? 0])) as Record<State, number>;
  }
  /** How many of what is shown lie in a box, and how many of them are offline or degraded. */
  within(box: Bounds, narrowing: Narrowing): { all: number; bad: number } {
    const found = { all: 0, bad: 0 };
    for (let row = 0; row < this.size; row++) {
      const [lon, lat] = this.#place(row);
      if (lon < box.west || lon > box.east || lat < box.south || lat > box.north || !this.#shows(row, narrowing)) continue;
      found.all++;
      const state = STATES[this.#state[row] ?? UNKNOWN];
      if (state === "offline" || state === "degraded") found.bad++;
    }
    return found;
  }
  features(narrowing: Narrowing): PlacedFeature[] {
    const found: PlacedFeature[] = [];
    for (let row = 0; row < this.size; row++) if (this.#shows(row, narrowing)) found.push(this.#feature(row));
    return found;
  }
  bounds(narrowing: Narrowing): Bounds | null {
    return boundsOf(this.#rows(narrowing));
  }
  /** What to tell the map of devices that changed while all of them stay shown. */
  changes(ids: Iterable<number>): GeoJSONFeatureDiff[] {
    const found: GeoJSONFeatureDiff[] = [];
    for (const id of ids) {
      const row = this.#row.get(id);
      if (row !== undefined) found.push({ id, addOrUpdateProperties: [{ key: "s", value: this.#state[row] }, { key: "a", value: this.#alert[row] }] });
    }
    return found;
  }

  *#rows(narrowing: Narrowing): Generator<readonly [number, number]> {
    for (let row = 0; row < this.size; row++) if (this.#shows(row, narrowing)) yield this.#place(row);
  }
  #place(row: number): readonly [number, number] {
    return [(this.columns.lon[row] ?? 0) / GRID, (this.columns.lat[row] ?? 0) / GRID];
  }
  #fits(row: number, narrowing: Narrowing): boolean {
    if (narrowing.areas && !narrowing.areas.has(this.columns.areas[row] ?? 0)) return false;
    return !narrowing.kind || this.columns.kinds[this.columns.kind[row] ?? -1] === narrowing.kind;
  }
  #shows(row: number, narrowing: Narrowing): boolean {
    return narrowing.states.has(STATES[this.#state[row] ?? UNKNOWN] ?? "unknown") && this.#fits(row, narrowing);
  }
  #feature(row: number): PlacedFeature {
    const [lon, lat] = this.#place(row);
    return { type: "Feature", id: this.columns.ids[row] ?? 0, geometry: { type: "Point", coordinates: [lon, lat] }, properties: { s: this.#state[row] ?? UNKNOWN, a: this.#alert[row] ?? 0 } };
  }
}
function stateNumber(name: string): number {
  const at = STATES.indexOf(name as State);
  return at < 0 ? UNKNOWN : at;
}
