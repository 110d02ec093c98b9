// MapLibre, loaded with the first map. Its worker is a file of our own: nothing runs from a blob.
import { Map as Chart, GPUInitializationError, setWorkerUrl, type MapOptions } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "./engine.css";

export { GPUInitializationError } from "maplibre-gl";
export type { Map as Chart, GeoJSONSource, LngLatBoundsLike, MapGeoJSONFeature, StyleSpecification } from "maplibre-gl";

setWorkerUrl(workerUrl);

export const FONTS = ["system-ui, Noto Sans CJK SC, Source Han Sans SC, Microsoft YaHei, PingFang SC, sans-serif"];

/** A flat map with north up. Throws GPUInitializationError where the browser has no WebGL. */
export function makeChart(options: MapOptions & { label: string }): Chart {
  const { label, ...rest } = options;
  const chart = new Chart({
    attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false, maxPitch: 0, renderWorldCopies: false,
    fadeDuration: 0, minZoom: 2, maxZoom: 19, localIdeographFontFamily: FONTS[0] ?? "sans-serif", locale: { "Map.Title": label }, ...rest,
  });
  chart.touchZoomRotate.disableRotation();
  chart.keyboard.disableRotation();
  return chart;
}
/** Tell whether it was the missing WebGL that kept a map from being made. */
export const lacksGraphics = (error: unknown): boolean => error instanceof GPUInitializationError;
