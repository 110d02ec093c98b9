// What a map is drawn on: tiles of the hub's own file, or plain paper. Nothing comes from the internet.
import type { StyleSpecification } from "maplibre-gl";
import { api, ask, type Schemas } from "$/hub/api";
import type { Palette } from "./palette";

export type MapSettings = Schemas["MapOptionsOut"];
type Layer = StyleSpecification["layers"][number];

const TILES = "/api/v1/map/tiles.pmtiles";
let asked: Promise<MapSettings> | null = null;

/** What the hub draws maps on; asked once. */
export function mapSettings(): Promise<MapSettings> {
  asked ??= ask(api.GET("/api/v1/map/options")).catch((error: unknown) => { asked = null; throw error; });
  return asked;
}

let isTaught = false;
/** Teach MapLibre to read tiles out of the one file, piece by piece. */
export async function prepareTiles(settings: MapSettings): Promise<void> {
  if (!settings.tiles || isTaught) return;
  isTaught = true;
  const [{ addProtocol }, { Protocol }] = await Promise.all([import("maplibre-gl"), import("pmtiles")]);
  addProtocol("pmtiles", new Protocol().tile);
}

export function buildStyle(settings: MapSettings, palette: Palette, fonts: string[]): StyleSpecification {
  const paper: Layer = { id: "paper", type: "background", paint: { "background-color": palette.paper } };
  const style: StyleSpecification = { version: 8, sources: {}, layers: [paper] };
  const tiles = settings.tiles;
  if (!tiles) return style;
  const [west = -180, south = -85, east = 180, north = 85] = tiles.bounds;
  const shared = { url: `pmtiles://${location.origin}${TILES}`, bounds: [west, south, east, north] as [number, number, number, number], minzoom: tiles.min_zoom, maxzoom: tiles.max_zoom };
  if (tiles.format !== "mvt") {
    style.sources["tiles"] = { type: "raster", tileSize: 256, ...shared };
    style.layers.push({ id: "tiles", type: "raster", source: "tiles", paint: palette.isDark ? { "raster-brightness-max": 0.55, "raster-saturation": -0.5 } : { "raster-saturation": -0.3 } });
    return style;
  }
  style.sources["tiles"] = { type: "vector", ...shared };
  style.layers.push(...vectorLayers(palette, fonts));
  return style;
}

/** Protomaps' basemap and OpenMapTiles call things differently; what a file lacks draws nothing. */
function vectorLayers(palette: Palette, fonts: string[]): Layer[] {
  const fill = (name: string, colour: string, minzoom = 0): Layer => ({ id: `fill-${name}`, type: "fill", source: "tiles", "source-layer": name, minzoom, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colour } });
  const line = (name: string, colour: string, dash?: number[]): Layer => ({
    id: `line-${name}`, type: "line", source: "tiles", "source-layer": name,
    paint: { "line-color": colour, "line-width": ["interpolate", ["linear"], ["zoom"], 8, 0.4, 18, 5], ...(dash ? { "line-dasharray": dash } : {}) },
  });
  const label = (name: string): Layer => ({
    id: `label-${name}`, type: "symbol", source: "tiles", "source-layer": name,
    layout: { "text-field": ["coalesce", ["get", "name:zh-Hans"], ["get", "name:zh"], ["get", "name"], ""], "text-font": fonts, "text-size": 11.5 },
    paint: { "text-color": palette.soft, "text-halo-color": palette.paper, "text-halo-width": 1.5 },
  });
  return [
    fill("earth", palette.paper), fill("landcover", palette.woods), fill("park", palette.woods), fill("water", palette.water), fill("buildings", palette.line, 14), fill("building", palette.line, 14),
    line("roads", palette.line), line("transportation", palette.line), line("boundaries", palette.strongLine, [3, 2]), line("boundary", palette.strongLine, [3, 2]), label("places"), label("place"),
  ];
}
