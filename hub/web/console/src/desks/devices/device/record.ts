// The asset record as a form: texts on the screen, values for the hub; what others changed meanwhile. Pure.
import type { Schemas } from "$/hub/api";

export type AssetRecord = Schemas["AssetRecordOut"];
export type Name = keyof AssetRecord;
export const CHOICES = {
  ptz_type: ["ptz_dome", "fixed_dome", "fixed_bullet", "ptz_bullet"],
  position_type: ["checkpoint", "government", "station", "square", "stadium", "commercial", "religious", "campus", "disorder", "trunk_road"],
  room: ["outdoor", "indoor"], purpose: ["security", "traffic", "key_site"], light: ["none", "infrared", "white", "laser", "other"],
  direction: ["east", "west", "south", "north", "southeast", "northeast", "southwest", "northwest"],
} as const;
export const NUMBERS: readonly Name[] = ["port", "longitude", "latitude", "mount_height_m"];
export const DATES: readonly Name[] = ["installed_on", "warranty_until"];
export const NAMES: readonly Name[] = ["ptz_type", "resolution", "mac", "port", "longitude", "latitude", "direction", "mount_height_m", "room", "position_type", "purpose", "light", "installed_on", "warranty_until", "owner", "notes"];
export type Form = Record<Name, string>;

export function toForm(record: AssetRecord): Form {
  return Object.fromEntries(NAMES.map((name) => [name, record[name] === null ? "" : String(record[name])])) as Form;
}
/** What goes to the hub; what is no number goes as it was typed, so that the hub says what is wrong with it. */
export function fromForm(form: Form): Schemas["AssetRecordIn"] {
  const value = (name: Name): unknown => {
    const text = form[name].trim();
    if (NUMBERS.includes(name)) return text === "" ? null : Number.isFinite(Number(text)) ? Number(text) : text;
    if (name in CHOICES || DATES.includes(name)) return text === "" ? null : text;
    return name === "mac" ? text.toLowerCase().replaceAll("-", ":") : text;
  };
  return Object.fromEntries(NAMES.map((name) => [name, value(name)])) as unknown as Schemas["AssetRecordIn"];
}
/** Fields that somebody else changed between two readings. */
export function changedMeanwhile(before: AssetRecord, now: AssetRecord): Name[] {
  return NAMES.filter((name) => before[name] !== now[name]);
}
/** What was typed, over what others changed in fields that were left alone. */
export function merge(form: Form, before: AssetRecord, now: AssetRecord): Form {
  const [old, fresh] = [toForm(before), toForm(now)];
  return Object.fromEntries(NAMES.map((name) => [name, form[name] === old[name] ? fresh[name] : form[name]])) as Form;
}

/** What can be seen to be wrong before it is sent: the sentence of each such field. */
export function check(form: Form, say: { whole: string; number: string; range: (low: number, high: number) => string; pair: string; mac: string }): Partial<Record<Name, string>> {
  const wrong: Partial<Record<Name, string>> = {};
  const RANGES: [Name, number, number][] = [["longitude", -180, 180], ["latitude", -90, 90], ["mount_height_m", 0, 1000]];
  for (const [name, low, high] of RANGES) {
    const text = form[name].trim();
    if (text === "") continue;
    const value = Number(text);
    if (!Number.isFinite(value)) wrong[name] = say.number;
    else if (value < low || value > high) wrong[name] = say.range(low, high);
  }
  const port = form.port.trim();
  if (port !== "" && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) wrong.port = say.whole;
  if ((form.longitude.trim() === "") !== (form.latitude.trim() === "")) wrong[form.longitude.trim() === "" ? "longitude" : "latitude"] = say.pair;
  const mac = form.mac.trim();
  if (mac !== "" && !/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(mac)) wrong.mac = say.mac;
  return wrong;
}
