// A file of outlines as far as this page looks into it: which property names an area. Pure.
export interface Looked { features: readonly Record<string, unknown>[]; properties: readonly string[] }

/** The properties of the features of a GeoJSON file; null when it is none. */
export function lookInto(text: string): Looked | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  const features = isRecord(found) && found["type"] === "FeatureCollection" && Array.isArray(found["features"]) ? (found["features"] as unknown[]) : null;
  if (!features?.length) return null;
  const all = features.map((one) => {
    const properties = isRecord(one) && isRecord(one["properties"]) ? one["properties"] : {};
    return isRecord(one) && properties["id"] === undefined && one["id"] !== undefined ? { ...properties, id: one["id"] } : properties;
  });
  const names = new Set<string>();
  for (const one of all) for (const [name, value] of Object.entries(one)) if (typeof value === "string" || typeof value === "number") names.add(name);
  return { features: all, properties: [...names] };
}
/** How many features name a known area by a property. */
export function countFitting(looked: Looked, property: string, codes: ReadonlySet<string>): number {
  return looked.features.filter((one) => codes.has(String(one[property] ?? "").trim())).length;
}
/** The property that names most areas. */
export function guessProperty(looked: Looked, codes: ReadonlySet<string>): string {
  const counted = looked.properties.map((name) => ({ name, fits: countFitting(looked, name, codes) }));
  counted.sort((a, b) => b.fits - a.fits);
  return counted[0]?.name ?? "code";
}
/** What to call a feature in a list of faults: its name, its code, or nothing. */
export function nameOf(looked: Looked, feature: number, property: string): string {
  const one = looked.features[feature] ?? {};
  const name = one["name"] ?? one["NAME"] ?? one["名称"];
  return [name, one[property]].filter((part) => typeof part === "string" || typeof part === "number").map(String).join(" · ").slice(0, 80);
}
function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
