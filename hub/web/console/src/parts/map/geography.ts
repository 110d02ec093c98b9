// Reckoning with places: boxes, a net of degrees for paper without a map, a scale. Pure.
import type { Feature, FeatureCollection, Position } from "geojson";

export interface Bounds { west: number; south: number; east: number; north: number }
const LEAST_SPAN = 0.004; // degrees: a single place is shown with its surroundings

export function boundsOf(places: Iterable<readonly [number, number]>): Bounds | null {
  let found: Bounds | null = null;
  for (const [lon, lat] of places) {
    if (!found) { found = { west: lon, south: lat, east: lon, north: lat }; continue; }
    if (lon < found.west) found.west = lon;
    if (lon > found.east) found.east = lon;
    if (lat < found.south) found.south = lat;
    if (lat > found.north) found.north = lat;
  }
  return found && widen(found);
}
export function widen(box: Bounds): Bounds {
  const x = Math.max(0, (LEAST_SPAN - (box.east - box.west)) / 2);
  const y = Math.max(0, (LEAST_SPAN - (box.north - box.south)) / 2);
  return { west: box.west - x, south: box.south - y, east: box.east + x, north: box.north + y };
}
export const corners = (box: Bounds): [[number, number], [number, number]] => [[box.west, box.south], [box.east, box.north]];

const STEPS = [30, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005];
/** Lines of longitude and latitude for what is in view: four to ten of each. */
export function graticule(box: Bounds): FeatureCollection {
  const span = Math.max(box.east - box.west, 0.0001);
  const step = STEPS.find((one) => span / one >= 4) ?? 0.0005;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const features: Feature[] = [];
  const add = (from: Position, to: Position, degrees: number, letters: [string, string]): void => {
    const text = `${Math.abs(degrees).toFixed(digits)}°${degrees < 0 ? letters[1] : letters[0]}`;
    features.push({ type: "Feature", properties: { text }, geometry: { type: "LineString", coordinates: [from, to] } });
  };
  for (let n = Math.ceil(box.west / step); n * step <= box.east; n++) add([n * step, box.south], [n * step, box.north], n * step, ["E", "W"]);
  for (let n = Math.ceil(box.south / step); n * step <= box.north; n++) add([box.west, n * step], [box.east, n * step], n * step, ["N", "S"]);
  return { type: "FeatureCollection", features };
}

const EARTH_M = 40_075_016.686;
/** A length for the scale of a map: at most `most` pixels, a round number of metres. */
export function scaleOf(zoom: number, latitude: number, most = 110): { metres: number; pixels: number } {
  const perPixel = (EARTH_M * Math.cos((latitude * Math.PI) / 180)) / (512 * 2 ** zoom);
  const power = 10 ** Math.floor(Math.log10(most * perPixel));
  const metres = ([5, 2, 1].find((one) => one * power <= most * perPixel) ?? 1) * power;
  return { metres, pixels: metres / perPixel };
}
export const showLength = (metres: number): string => (metres >= 1000 ? `${metres / 1000} km` : `${metres} m`);

/** Where the name of an area stands: the middle of its largest ring. */
export function middleOf(polygons: Position[][][]): Position {
  let best: { size: number; at: Position } = { size: -1, at: [0, 0] };
  for (const polygon of polygons) {
    const ring = polygon[0] ?? [];
    const origin = ring[0] ?? [0, 0];
    let twice = 0, x = 0, y = 0;
    for (let n = 0; n + 1 < ring.length; n++) {
      // From a corner of its own: degrees are large numbers beside what a village spans.
      const [ax, ay] = less(ring[n], origin), [bx, by] = less(ring[n + 1], origin);
      const cross = ax * by - bx * ay;
      twice += cross; x += (ax + bx) * cross; y += (ay + by) * cross;
    }
    const size = Math.abs(twice);
    if (size > best.size) best = { size, at: twice ? [(origin[0] ?? 0) + x / (3 * twice), (origin[1] ?? 0) + y / (3 * twice)] : origin };
  }
  return best.at;
}
const less = (place: Position | undefined, origin: Position): [number, number] => [(place?.[0] ?? 0) - (origin[0] ?? 0), (place?.[1] ?? 0) - (origin[1] ?? 0)];

