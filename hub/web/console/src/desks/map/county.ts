// The map of a county: it is told what to show and tells what is looked at and what is picked.
import type { Chart, GeoJSONSource, MapGeoJSONFeature } from "$/parts/map/engine";
import { corners, graticule, type Bounds } from "$/parts/map/geography";
import { addSigns, drawRing, put } from "$/parts/map/signs";
import { buildStyle, prepareTiles, type MapSettings } from "$/parts/map/background";
import type { Palette } from "$/parts/map/palette";
import { depthAt, labels, shapes, type Outline, type Rate } from "./areas";
import { areaLayers, AREAS, CHOSEN, depthFilters, GROUPED_TO, labelLayer, LABELS, NET, PICKED, pointLayers, POINTS, pointSource } from "./layers";
import type { PlacedFeature, PointTable } from "./points";

export interface View { lon: number; lat: number; zoom: number; box: Bounds }
export interface Listener { moved: (view: View) => void; picked: (ids: number[]) => void; pickedArea: (id: number) => void; broke: (text: string) => void; drawn: (isDrawn: boolean) => void }
interface Options { container: HTMLElement; palette: Palette; settings: MapSettings; label: string; view: { lon: number; lat: number; zoom: number } | null; tell: Listener }

const NOTHING = { type: "FeatureCollection" as const, features: [] };
const CALM = matchMedia("(prefers-reduced-motion: reduce)").matches;
const MOST_PICKED = 50;

export class County {
  #outlines: readonly Outline[] = [];
  #depth: number | null = null;
  #isGrouped = true;
  #hasPoints = false;

  private constructor(private readonly chart: Chart, private readonly tell: Listener) {}

  /** Make the map; resolves once it can be drawn on. */
  static async open({ container, palette, settings, label, view, tell }: Options): Promise<County> {
    const [engine] = await Promise.all([import("$/parts/map/engine"), prepareTiles(settings)]);
    const chart = engine.makeChart({ container, label, style: buildStyle(settings, palette, engine.FONTS), ...(view ? { center: [view.lon, view.lat], zoom: view.zoom } : { center: [104, 35], zoom: 3 }) });
    const county = new County(chart, tell);
    await new Promise<void>((done) => { chart.once("style.load", () => done()); });
    county.#dress(palette, engine.FONTS, settings.tiles !== null);
    chart.on("moveend", () => county.#moved());
    chart.on("click", (event) => void county.#click(event.point));
    chart.on("idle", () => { if (county.#hasPoints) tell.drawn(true); });
    chart.on("error", (event) => tell.broke(event.error.message));
    for (const layer of PICKED) {
      chart.on("mouseenter", layer, () => { chart.getCanvas().style.cursor = "pointer"; });
      chart.on("mouseleave", layer, () => { chart.getCanvas().style.cursor = ""; });
    }
    county.#moved();
    return county;
  }
  close(): void {
    this.chart.remove();
  }
  show(features: PlacedFeature[]): void {
    this.#hasPoints = true;
    this.tell.drawn(false);
    void this.#source(POINTS)?.setData({ type: "FeatureCollection", features });
  }
  change(table: PointTable, ids: Iterable<number>): void {
    const update = table.changes(ids);
    if (update.length) void this.#source(POINTS)?.updateData({ update });
  }
  /** Draw groups, or every device by itself. */
  group(isGrouped: boolean): void {
    if (isGrouped === this.#isGrouped) return;
    this.#isGrouped = isGrouped;
    void this.#source(POINTS)?.setClusterOptions({ cluster: isGrouped, clusterMaxZoom: GROUPED_TO });
  }
  showAreas(outlines: readonly Outline[], rates: ReadonlyMap<number, Rate>, write: (rate: Rate) => string): void {
    this.#outlines = outlines;
    void this.#source(AREAS)?.setData(shapes(outlines, rates));
    void this.#source(LABELS)?.setData(labels(outlines, rates, write));
    this.#level();
  }
  choose(place: readonly [number, number] | null): void {
    const feature = place && { type: "Feature" as const, properties: {}, geometry: { type: "Point" as const, coordinates: [...place] } };
    void this.#source(CHOSEN)?.setData(feature ?? NOTHING);
  }
  chooseArea(id: number | null): void {
    this.chart.setFilter("area-chosen", ["==", ["id"], id ?? -1]);
  }
  fit(box: Bounds, isAtOnce = false): void {
    this.chart.fitBounds(corners(box), { padding: 48, maxZoom: 17, animate: !CALM && !isAtOnce, duration: 500 });
  }
  goTo([lon, lat]: readonly [number, number], zoom = GROUPED_TO + 2): void {
    this.chart.easeTo({ center: [lon, lat], zoom: Math.max(this.chart.getZoom(), zoom), duration: CALM ? 0 : 500 });
  }
  zoomBy(steps: number): void {
    this.chart.zoomTo(this.chart.getZoom() + steps, { duration: CALM ? 0 : 200 });
  }
  get view(): View {
    const { lng: lon, lat } = this.chart.getCenter();
    const box = this.chart.getBounds();
    return { lon, lat, zoom: this.chart.getZoom(), box: { west: Math.max(-180, box.getWest()), south: box.getSouth(), east: Math.min(180, box.getEast()), north: box.getNorth() } };
  }

  #dress(palette: Palette, fonts: string[], hasTiles: boolean): void {
    const { chart } = this;
    addSigns(chart, palette);
    put(chart, "hatch", hatch(palette.bad));
    chart.setMissingStyleImageResolver((id) => {
      const image = drawRing(id, palette);
      if (image) put(chart, id, image);
    });
    for (const id of [NET, AREAS, LABELS, CHOSEN]) chart.addSource(id, { type: "geojson", data: NOTHING, ...(id === AREAS ? { tolerance: 0.5 } : {}) });
    chart.addSource(POINTS, pointSource());
    for (const layer of [...areaLayers(palette, fonts), labelLayer(palette, fonts), ...pointLayers(palette, fonts)]) chart.addLayer(layer);
    if (hasTiles) for (const layer of ["net", "net-label"]) chart.setLayoutProperty(layer, "visibility", "none");
  }
  #moved(): void {
    const view = this.view;
    void this.#source(NET)?.setData(graticule(view.box));
    this.#level();
    this.tell.moved(view);
  }
  #level(): void {
    const depth = depthAt(this.chart.getZoom(), this.#outlines);
    if (depth === this.#depth) return;
    this.#depth = depth;
    for (const { layer, filter } of depthFilters(depth ?? 0)) this.chart.setFilter(layer, filter);
  }
  async #click(point: { x: number; y: number }): Promise<void> {
    const reach = 6;
    const found = this.chart.queryRenderedFeatures([[point.x - reach, point.y - reach], [point.x + reach, point.y + reach]], { layers: PICKED });
    const group = found.find((feature) => feature.properties["cluster"]);
    const devices = found.filter((feature) => !feature.properties["cluster"]).map((feature) => Number(feature.id));
    if (devices.length) this.tell.picked([...new Set(devices)].slice(0, MOST_PICKED));
    else if (group) await this.#openGroup(group);
    else {
      const [area] = this.chart.queryRenderedFeatures([point.x, point.y], { layers: ["area-fill"] });
      if (area) this.tell.pickedArea(Number(area.id));
    }
  }
  async #openGroup(group: MapGeoJSONFeature): Promise<void> {
    const source = this.#source(POINTS);
    const id = Number(group.properties["cluster_id"]);
    const place = group.geometry.type === "Point" ? group.geometry.coordinates : null;
    if (!source || !place) return;
    try {
      const zoom = await source.getClusterExpansionZoom(id);
      if (zoom > GROUPED_TO) {
        const inside = await source.getClusterLeaves(id, MOST_PICKED, 0);
        if (isOnePlace(inside)) { this.tell.picked(inside.map((one) => Number(one.id))); return; }
      }
      this.chart.easeTo({ center: [place[0] ?? 0, place[1] ?? 0], zoom, duration: CALM ? 0 : 400 });
    } catch {
      // The group fell apart while it was asked about: what changed is shown already.
    }
  }
  #source(id: string): GeoJSONSource | undefined {
    return this.chart.getSource<GeoJSONSource>(id);
  }
}
function isOnePlace(features: GeoJSON.Feature[]): boolean {
  const places = new Set(features.map((one) => (one.geometry.type === "Point" ? one.geometry.coordinates.map((degree) => degree.toFixed(5)).join() : "")));
  return places.size === 1;
}
function hatch(colour: string): ImageData {
  const size = 16;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("no canvas");
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  for (const shift of [-size, 0, size]) { pen.beginPath(); pen.moveTo(shift, size); pen.lineTo(shift + size, 0); pen.stroke(); }
  return pen.getImageData(0, 0, size, size);
}
