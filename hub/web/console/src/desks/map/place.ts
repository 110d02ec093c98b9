// Where the map stands, in an address: "120.75,30.5,12". Pure.
export interface Place { lon: number; lat: number; zoom: number }

export function readPlace(text: string | null): Place | null {
  const parts = (text ?? "").split(",");
  const [lon, lat, zoom] = parts.map(Number);
  if (parts.length !== 3 || lon === undefined || lat === undefined || zoom === undefined) return null;
  const isPlace = Math.abs(lon) <= 180 && Math.abs(lat) <= 85 && zoom >= 0 && zoom <= 22 && parts.every((part) => part.trim() !== "");
  return isPlace ? { lon, lat, zoom } : null;
}
export const writePlace = ({ lon, lat, zoom }: Place): string => `${round(lon, 5)},${round(lat, 5)},${round(zoom, 2)}`;
const round = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits;
