// Short lists that others are chosen from, by number and name: read once and again when a page opens.
import { api, ask } from "$/hub/api";
import { areas } from "$/hub/areas.svelte";
import { session } from "$/hub/session.svelte";
import { allPages, type LookupName, type Option } from "./spec";

const LIMIT = 200;
class Lookup {
  items = $state.raw<readonly Option[]>([]);
  isKnown = $state(false);
  constructor(private readonly read: () => Promise<Option[]>) {}
  async load(): Promise<void> {
    try {
      this.items = await this.read();
      this.isKnown = true;
    } catch {
      this.isKnown = false; // names are numbers then; the page itself says what is wrong
    }
  }
  /** The name of a number, or the number while its name is not known. */
  name(id: unknown): string {
    if (id === null || id === undefined) return "";
    return this.items.find((one) => one.value === id)?.label ?? `#${String(id)}`;
  }
  names(ids: unknown): string {
    return Array.isArray(ids) ? ids.map((id) => this.name(id)).join("、") : "";
  }
}
interface Named { id: number; name: string; area_id: number }
const named = (rows: readonly Named[]): Option[] => rows.map((row) => ({ value: row.id, label: row.name, note: areas.name(row.area_id) }));

async function readPeople(): Promise<Option[]> {
  if (session.may("administer")) {
    const { items } = await ask(api.GET("/api/v1/users"));
    return items.filter((one) => !one.is_disabled).map((one) => ({ value: one.id, label: one.display_name || one.name, note: one.display_name ? one.name : "" }));
  }
  // Whoever only plans asks who may work in his areas.
  const mine = [...new Set((session.user?.grants ?? []).map((grant) => grant.area_id))];
  const found = await Promise.all(mine.map((area_id) => ask(api.GET("/api/v1/areas/{area_id}/operators", { params: { path: { area_id } } }))));
  const names = new Map(found.flatMap((said) => said.items.map((one) => [one.id, one.name] as const)));
  return [...names].map(([value, label]) => ({ value, label }));
}

export const lookups: Record<LookupName, Lookup> = {
  receivers: new Lookup(async () => named(await allPages((cursor) => ask(api.GET("/api/v1/receivers", { params: { query: { limit: LIMIT, cursor } } }))))),
  rules: new Lookup(async () => named(await allPages((cursor) => ask(api.GET("/api/v1/rules", { params: { query: { limit: LIMIT, cursor } } }))))),
  profiles: new Lookup(async () => named(await allPages((cursor) => ask(api.GET("/api/v1/picture-profiles", { params: { query: { limit: LIMIT, cursor } } }))))),
  people: new Lookup(readPeople),
};
export async function loadLookups(names: readonly LookupName[]): Promise<void> {
  await Promise.all([areas.load(), ...names.map((name) => lookups[name].load())]);
}
