// Digital zoom: what part of a picture is shown larger. Pure; x and y are shares of the view, 0 is its middle.
export interface Zoom { scale: number; x: number; y: number }

export const WHOLE: Zoom = { scale: 1, x: 0, y: 0 };
const LARGEST = 8;

/** Nearer or further at a point of the view (-0.5 to 0.5 each way), which stays where it is. */
export function zoomAt(zoom: Zoom, factor: number, at: { x: number; y: number }): Zoom {
  const scale = Math.min(LARGEST, Math.max(1, zoom.scale * factor));
  const grown = scale / zoom.scale;
  return kept({ scale, x: at.x - (at.x - zoom.x) * grown, y: at.y - (at.y - zoom.y) * grown });
}
/** Move the picture by shares of the view. */
export function shift(zoom: Zoom, x: number, y: number): Zoom {
  return kept({ scale: zoom.scale, x: zoom.x + x, y: zoom.y + y });
}
/** No edge of the picture comes into the view. */
function kept({ scale, x, y }: Zoom): Zoom {
  const most = (scale - 1) / 2;
  const within = (value: number): number => Math.min(most, Math.max(-most, value)) || 0;
  return { scale, x: within(x), y: within(y) };
}
