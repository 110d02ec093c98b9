// Areas on the map: which level of the tree is shown at which zoom, and what a rate says. Pure.
import type { Feature, FeatureCollection } from "geojson";
import { boundsOf, middleOf, type Bounds } from "$/parts/map/geography";

export interface Outline { area_id: number; name: string; depth: number; box: readonly number[]; coordinates: readonly (readonly (readonly (readonly number[])[])[])[] }
export interface Rate { area_id: number; managed: number; answering: number; unknown: number; online_now: number | null }
/** How an area stands: as targeted, below, far below, or not known well enough to say. */
export type Verdict = "good" | "warn" | "bad" | "unknown";

export const TARGET = 0.99;
export const ALARMING = 0.95;
export const LEAST_COVERAGE = 0.95;

export function judge(rate: Rate | undefined): Verdict {
  if (!rate || rate.online_now === null) return "unknown";
  if (coverageOf(rate) < LEAST_COVERAGE) return "unknown";
  if (rate.online_now >= TARGET) return "good";
  return rate.online_now >= ALARMING ? "warn" : "bad";
}
export const coverageOf = (rate: Rate): number => (rate.managed ? (rate.managed - rate.unknown) / rate.managed : 0);
/** "97.4 %", never rounded up to a hundred that it is not. */
export function showRate(rate: number): string {
  const tenths = Math.floor(rate * 1000 + 1e-9) / 10;
  return `${tenths.toFixed(1)} %`;
}

const LEAST_PIXELS = 110;
/** The deepest level whose areas are large enough on the screen to be told apart. */
export function depthAt(zoom: number, outlines: readonly Outline[]): number | null {
  const widths = new Map<number, number[]>();
  for (const one of outlines) widths.set(one.depth, [...(widths.get(one.depth) ?? []), (one.box[2] ?? 0) - (one.box[0] ?? 0)]);
  const perDegree = (512 * 2 ** zoom) / 360;
  const levels = [...widths.keys()].sort((a, b) => a - b);
  const fitting = levels.filter((depth) => median(widths.get(depth) ?? []) * perDegree >= LEAST_PIXELS);
  return fitting.at(-1) ?? levels[0] ?? null;
}
function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

export function shapes(outlines: readonly Outline[], rates: ReadonlyMap<number, Rate>): FeatureCollection {
  const features = outlines.map((one): Feature => ({
    type: "Feature", id: one.area_id, properties: { depth: one.depth, verdict: judge(rates.get(one.area_id)) },
    geometry: { type: "MultiPolygon", coordinates: one.coordinates as number[][][][] },
  }));
  return { type: "FeatureCollection", features };
}
/** Names and rates, each in the middle of its area. */
export function labels(outlines: readonly Outline[], rates: ReadonlyMap<number, Rate>, write: (rate: Rate) => string): FeatureCollection {
  const features = outlines.map((one): Feature => {
    const rate = rates.get(one.area_id);
    return {
      type: "Feature", properties: { depth: one.depth, text: rate ? `${one.name}\n${write(rate)}` : one.name, weight: rate?.managed ?? 0 },
      geometry: { type: "Point", coordinates: middleOf(one.coordinates as number[][][][]) },
    };
  });
  return { type: "FeatureCollection", features };
}
export function boxOf(outlines: readonly Outline[]): Bounds | null {
  return boundsOf(outlines.flatMap(({ box: [west = 0, south = 0, east = 0, north = 0] }): [number, number][] => [[west, south], [east, north]]));
}
