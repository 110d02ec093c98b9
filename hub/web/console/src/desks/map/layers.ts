// How points, groups and areas are drawn: specifications for MapLibre, nothing else.
import type { ExpressionSpecification, LayerSpecification, GeoJSONSourceSpecification } from "maplibre-gl";
import type { Palette } from "$/parts/map/palette";
import { STATES } from "$/parts/map/signs";

export const POINTS = "points";
export const AREAS = "areas";
export const LABELS = "area-labels";
export const NET = "net";
export const CHOSEN = "chosen";
export const PICKED = ["groups", "devices"];
export const GROUPED_TO = 14; // deeper, every device stands by itself

const isState = (state: string): ExpressionSpecification => ["case", ["==", ["get", "s"], STATES.indexOf(state as never)], 1, 0];
export const pointSource = (): GeoJSONSourceSpecification => ({
  type: "geojson", data: { type: "FeatureCollection", features: [] }, cluster: true, clusterRadius: 58, clusterMaxZoom: GROUPED_TO, maxzoom: 17, tolerance: 0, buffer: 64,
  clusterProperties: { off: ["+", isState("offline")], deg: ["+", isState("degraded")], unk: ["+", isState("unknown")], mnt: ["+", isState("maintenance")], al: ["max", ["get", "a"]] },
});

const count: ExpressionSpecification = ["get", "point_count"];
const sixteenths = (key: string): ExpressionSpecification => ["to-string", ["ceil", ["*", 16, ["/", ["get", key], count]]]];
const ringSize: ExpressionSpecification = ["step", count, 46, 50, 52, 500, 60, 5000, 70];
const bad: ExpressionSpecification = ["+", ["get", "off"], ["get", "deg"]];

export function pointLayers(palette: Palette, fonts: string[]): LayerSpecification[] {
  const above = { "icon-allow-overlap": true, "text-allow-overlap": true } as const;
  return [
    {
      id: "groups", type: "symbol", source: POINTS, filter: ["has", "point_count"],
      layout: {
        ...above, "symbol-sort-key": bad,
        "icon-image": ["concat", "ring/", ["to-string", ringSize], "/", sixteenths("off"), "/", sixteenths("deg"), "/", sixteenths("unk"), "/", sixteenths("mnt")],
        "text-field": ["format", ["to-string", ["get", "point_count_abbreviated"]], { "font-scale": 1 }, ["case", [">", bad, 0], ["concat", "\n✖ ", ["to-string", bad]], ""], { "font-scale": 0.82, "text-color": palette.ink }],
        "text-font": fonts, "text-size": 11.5, "text-line-height": 1.05,
      },
      paint: { "text-color": palette.ink },
    },
    {
      id: "devices", type: "symbol", source: POINTS, filter: ["!", ["has", "point_count"]],
      layout: { ...above, "icon-image": ["concat", "state-", ["to-string", ["get", "s"]]], "symbol-sort-key": ["match", ["get", "s"], 1, 4, 2, 3, 3, 2, 4, 1, 0] },
    },
    {
      id: "alerts", type: "symbol", source: POINTS, filter: ["all", ["!", ["has", "point_count"]], [">", ["get", "a"], 0]],
      layout: { ...above, "icon-image": ["concat", "alert-", ["to-string", ["get", "a"]]], "icon-size": 1.25 },
    },
    { id: "chosen", type: "symbol", source: CHOSEN, layout: { ...above, "icon-image": "chosen" } },
  ];
}

const atDepth = (depth: number): ExpressionSpecification => ["==", ["get", "depth"], depth];
export const depthFilters = (depth: number): { layer: string; filter: ExpressionSpecification }[] => [
  { layer: "area-fill", filter: atDepth(depth) },
  { layer: "area-edge", filter: atDepth(depth) },
  { layer: "area-poor", filter: ["all", atDepth(depth), ["==", ["get", "verdict"], "bad"]] },
  { layer: "area-line", filter: ["<=", ["get", "depth"], depth] },
  { layer: "area-label", filter: atDepth(depth) },
];
export function areaLayers(palette: Palette, fonts: string[]): LayerSpecification[] {
  return [
    { id: "net", type: "line", source: NET, paint: { "line-color": palette.line, "line-width": 1 } },
    {
      id: "net-label", type: "symbol", source: NET,
      layout: { "symbol-placement": "line", "text-field": ["get", "text"], "text-font": fonts, "text-size": 10, "symbol-spacing": 420, "text-offset": [0, -0.6] },
      paint: { "text-color": palette.soft, "text-halo-color": palette.paper, "text-halo-width": 1.5 },
    },
    // Nothing to see: what is clicked on. Edges show the colour; a filled county would blend over every pixel.
    { id: "area-fill", type: "fill", source: AREAS, paint: { "fill-opacity": 0 } },
    {
      id: "area-edge", type: "line", source: AREAS, layout: { "line-join": "round" },
      paint: { "line-color": ["match", ["get", "verdict"], "good", palette.good, "warn", palette.warn, "bad", palette.bad, palette.unknown], "line-width": 5, "line-offset": 3, "line-opacity": 0.6 },
    },
    // What is far below the target is hatched, too: not by its colour alone.
    { id: "area-poor", type: "fill", source: AREAS, filter: ["==", ["get", "verdict"], "bad"], paint: { "fill-pattern": "hatch", "fill-opacity": 0.55 } },
    {
      id: "area-line", type: "line", source: AREAS,
      paint: { "line-color": palette.strongLine, "line-width": ["interpolate", ["linear"], ["get", "depth"], 1, 2.4, 2, 1.5, 3, 0.9], "line-opacity": 0.9 },
    },
    { id: "area-chosen", type: "line", source: AREAS, filter: ["==", ["id"], -1], paint: { "line-color": palette.main, "line-width": 3.5 } },
  ];
}
export function labelLayer(palette: Palette, fonts: string[]): LayerSpecification {
  return {
    id: "area-label", type: "symbol", source: LABELS,
    layout: { "text-field": ["get", "text"], "text-font": fonts, "text-size": 12.5, "text-max-width": 9, "text-variable-anchor": ["center", "top", "bottom", "left", "right", "top-left", "top-right", "bottom-left", "bottom-right"], "text-radial-offset": 2.6, "text-justify": "auto", "symbol-sort-key": ["-", 0, ["get", "weight"]], "text-padding": 4 },
    paint: { "text-color": palette.ink, "text-halo-color": palette.card, "text-halo-width": 2 },
  };
}
