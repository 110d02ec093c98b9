// A small map of some places: drawn signs, one of them chosen, an outline, a way.
import type { Feature, FeatureCollection } from "geojson";
import type { Chart, GeoJSONSource } from "./engine";
import { buildStyle, prepareTiles, type MapSettings } from "./background";
import { boundsOf, corners, graticule, type Bounds } from "./geography";
import type { Palette } from "./palette";
import { addSigns, STATES } from "./signs";

/** Degrees, WGS-84. A device shows its `status`, a task its `colour`, a unit and a place themselves. */
export interface PlacePoint { id: number; lon: number; lat: number; label?: string; sign?: "device" | "task" | "unit" | "place"; status?: string; colour?: "green" | "yellow" | "red" }
export type Way = readonly (readonly [number, number])[];

const NOTHING: FeatureCollection = { type: "FeatureCollection", features: [] };
const NEARBY = 0.08; // degrees, about 8 km
const CALM = typeof matchMedia !== "undefined" && matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The name of the drawn sign of a place. Pure. */
export function signOf(point: PlacePoint): string {
  if (point.sign === "task") return `task-${point.colour ?? "green"}`;
  if (point.sign === "unit" || point.sign === "place") return point.sign;
  const state = STATES.indexOf((point.status ?? "unknown") as never);
  return `state-${state < 0 ? STATES.indexOf("unknown") : state}`;
}

export class PlaceChart {
  private constructor(private readonly chart: Chart) {}

  static async open(options: { container: HTMLElement; palette: Palette; settings: MapSettings; label: string; onselect: (id: number) => void; onmove: (zoom: number, latitude: number) => void }): Promise<PlaceChart> {
    const { container, palette, settings, label } = options;
    const [engine] = await Promise.all([import("./engine"), prepareTiles(settings)]);
    const chart = engine.makeChart({ container, label, style: buildStyle(settings, palette, engine.FONTS), center: [104, 35], zoom: 3 });
    const made = new PlaceChart(chart);
    await new Promise<void>((done) => { chart.once("style.load", () => done()); });
    made.#dress(palette, engine.FONTS, settings.tiles !== null);
    const moved = (): void => {
      const box = chart.getBounds();
      void made.#source("net")?.setData(graticule({ west: Math.max(-180, box.getWest()), south: box.getSouth(), east: Math.min(180, box.getEast()), north: box.getNorth() }));
      options.onmove(chart.getZoom(), chart.getCenter().lat);
    };
    chart.on("moveend", moved);
    chart.on("click", "places", (event) => {
      const id = event.features?.[0]?.id;
      if (id !== undefined) options.onselect(Number(id));
    });
    chart.on("mouseenter", "places", () => { chart.getCanvas().style.cursor = "pointer"; });
    chart.on("mouseleave", "places", () => { chart.getCanvas().style.cursor = ""; });
    moved();
    return made;
  }
  close(): void {
    this.chart.remove();
  }
  show(points: readonly PlacePoint[], selected: number | null): void {
    const features = points.map((point): Feature => ({ type: "Feature", id: point.id, properties: { sign: signOf(point), label: point.label ?? "" }, geometry: { type: "Point", coordinates: [point.lon, point.lat] } }));
    void this.#source("places")?.setData({ type: "FeatureCollection", features });
    const chosen = points.find((point) => point.id === selected);
    void this.#source("chosen")?.setData(chosen ? { type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [chosen.lon, chosen.lat] } } : NOTHING);
    if (chosen && !this.chart.getBounds().contains([chosen.lon, chosen.lat])) this.chart.easeTo({ center: [chosen.lon, chosen.lat], duration: CALM ? 0 : 400 });
  }
  outline(polygons: number[][][][] | null): void {
    void this.#source("outline")?.setData(polygons ? { type: "Feature", properties: {}, geometry: { type: "MultiPolygon", coordinates: polygons } } : NOTHING);
  }
  way(way: Way): void {
    void this.#source("way")?.setData(way.length > 1 ? { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: way.map((place) => [...place]) } } : NOTHING);
  }
  fit(box: Bounds): void {
    this.chart.fitBounds(corners(box), { padding: 36, maxZoom: 16.5, animate: false });
  }
  zoomBy(steps: number): void {
    this.chart.zoomTo(this.chart.getZoom() + steps, { duration: CALM ? 0 : 200 });
  }

  #dress(palette: Palette, fonts: string[], hasTiles: boolean): void {
    const { chart } = this;
    addSigns(chart, palette);
    for (const id of ["net", "outline", "way", "places", "chosen"]) chart.addSource(id, { type: "geojson", data: NOTHING });
    const above = { "icon-allow-overlap": true } as const;
    chart.addLayer({ id: "net", type: "line", source: "net", layout: { visibility: hasTiles ? "none" : "visible" }, paint: { "line-color": palette.line } });
    chart.addLayer({ id: "outline", type: "fill", source: "outline", paint: { "fill-color": palette.main, "fill-opacity": 0.07 } });
    chart.addLayer({ id: "outline-line", type: "line", source: "outline", paint: { "line-color": palette.strongLine, "line-width": 1.8 } });
    chart.addLayer({ id: "way", type: "line", source: "way", paint: { "line-color": palette.info, "line-width": 3, "line-dasharray": [1.5, 1] } });
    chart.addLayer({ id: "chosen", type: "symbol", source: "chosen", layout: { ...above, "icon-image": "chosen" } });
    chart.addLayer({
      id: "places", type: "symbol", source: "places",
      layout: { ...above, "icon-image": ["get", "sign"], "text-field": ["get", "label"], "text-font": fonts, "text-size": 12, "text-anchor": "top", "text-offset": [0, 1.4], "text-optional": true, "text-max-width": 9 },
      paint: { "text-color": palette.ink, "text-halo-color": palette.card, "text-halo-width": 1.8 },
    });
  }
  #source(id: string): GeoJSONSource | undefined {
    return this.chart.getSource<GeoJSONSource>(id);
  }
}
/** What a map of places shows at first. Pure. */
export function firstBounds(points: readonly PlacePoint[], way: Way, polygons: number[][][][] | null): Bounds | null {
  const places: (readonly [number, number])[] = [...points.map((point) => [point.lon, point.lat] as const), ...way];
  const around = boundsOf((polygons ?? []).flat(2).map(([lon = 0, lat = 0]) => [lon, lat] as const));
  // A village round a place says where that is; a county round it would only make it small.
  const isNear = around && Math.max(around.east - around.west, around.north - around.south) <= NEARBY;
  if (around && (isNear || !places.length)) places.push([around.west, around.south], [around.east, around.north]);
  return boundsOf(places);
}
