// What the list of devices is narrowed to and sorted by: the same names in the address of the page, in
// the hub's API and in a saved view. Whatever an address holds that makes no sense is left out.
import type { Schemas } from "$/hub/api";

export type Line = Schemas["DeviceLineOut"];

export const STATUSES = ["offline", "degraded", "unknown", "maintenance", "online"] as const;
export const LAYERS = ["network", "protocol", "credentials", "stream", "frames", "picture", "recording", "clock", "readings"] as const;
export const KINDS = ["camera", "nvr", "sensor", "gateway", "speaker", "switch", "onu", "uplink", "other"] as const;
export const PICTURE_FAULTS = ["signal_loss", "freeze", "occlusion", "scene_change", "too_dark", "too_bright", "low_contrast", "blur", "colour_cast", "noise", "stripes", "jitter", "ptz"] as const;
export const REGISTRATIONS = ["approved", "pending", "retired"] as const;
export const SORTS = ["number", "name", "code", "kind", "area", "place", "address", "manufacturer", "model", "firmware", "class", "team", "status", "layer", "since"] as const;
export type Sort = (typeof SORTS)[number];

export interface Filter {
  q?: string; area?: number; status?: (typeof STATUSES)[number][]; layer?: (typeof LAYERS)[number]; kind?: (typeof KINDS)[number];
  registration?: (typeof REGISTRATIONS)[number]; class?: string; team?: string; manufacturer?: string; model?: string; firmware?: string;
  tag?: string; picture?: (typeof PICTURE_FAULTS)[number]; behind?: number; parent?: number; flapping?: boolean; placed?: boolean;
}
export interface Query { filter: Filter; sort: Sort; desc: boolean }

const TEXTS = ["class", "team", "manufacturer", "model", "firmware"] as const; // "" finds what lacks it
const NUMBERS = ["area", "behind", "parent"] as const;
const FLAGS = ["flapping", "placed"] as const;
const LONGEST = 128;

function oneOf<T extends string>(all: readonly T[], text: string | null): T | undefined {
  return all.find((one) => one === text);
}
function clean(text: string | null): string | undefined {
  return text === null || text.length > LONGEST || text.includes("\0") ? undefined : text;
}

export function parseQuery(from: URLSearchParams): Query {
  const filter: Filter = {
    q: clean(from.get("q"))?.trim() || undefined,
    layer: oneOf(LAYERS, from.get("layer")),
    kind: oneOf(KINDS, from.get("kind")),
    registration: oneOf(REGISTRATIONS, from.get("registration")),
    picture: oneOf(PICTURE_FAULTS, from.get("picture")),
    tag: clean(from.get("tag")) || undefined,
  };
  const statuses = STATUSES.filter((one) => from.getAll("status").includes(one));
  if (statuses.length) filter.status = statuses;
  for (const name of TEXTS) filter[name] = clean(from.get(name));
  for (const name of NUMBERS) {
    const text = from.get(name) ?? "";
    if (/^[1-9]\d{0,14}$/.test(text)) filter[name] = Number(text);
  }
  for (const name of FLAGS) {
    const text = from.get(name);
    if (text === "true" || text === "false") filter[name] = text === "true";
  }
  for (const key of Object.keys(filter) as (keyof Filter)[]) if (filter[key] === undefined) delete filter[key];
  return { filter, sort: oneOf(SORTS, from.get("sort")) ?? "name", desc: from.get("desc") === "true" };
}

/** The query of an address: what is as usual is left out, and the order of its parts is always the same. */
export function showQuery({ filter, sort, desc }: Query): string {
  const to = new URLSearchParams();
  for (const key of Object.keys(filter).sort() as (keyof Filter)[]) {
    const value = filter[key];
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) to.append(key, String(one));
  }
  if (sort !== "name") to.set("sort", sort);
  if (desc) to.set("desc", "true");
  return to.toString();
}

/** The query of the API: sort and direction are always said. */
export function apiQuery({ filter, sort, desc }: Query): Filter & { sort: Sort; desc: boolean } {
  return { ...filter, sort, desc };
}

/** What narrows the list, by name: each can be taken away alone. */
export function chosen(filter: Filter): (keyof Filter)[] {
  return (Object.keys(filter) as (keyof Filter)[]).filter((key) => filter[key] !== undefined && key !== "q");
}
