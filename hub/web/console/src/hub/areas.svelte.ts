// The areas one may see, as a tree. Read once, and again when they change.
import { api, ask, type Schemas } from "./api";
import { live } from "./live.svelte";

export type Area = Schemas["AreaOut"];
class Areas {
  all = $state.raw<readonly Area[]>([]);
  byId = $derived(new Map(this.all.map((area) => [area.id, area])));
  children = $derived.by(() => {
    const found = new Map<number | null, Area[]>();
    for (const area of this.all) {
      // Whoever may see a village only has no town above it.
      const parent = area.parent_id !== null && this.byId.has(area.parent_id) ? area.parent_id : null;
      found.set(parent, [...(found.get(parent) ?? []), area]);
    }
    return found;
  });
  #asked: Promise<void> | null = null;

  async load(): Promise<void> {
    this.#asked ??= this.#read();
    await this.#asked;
  }
  async #read(): Promise<void> {
    try {
      this.all = (await ask(api.GET("/api/v1/areas"))).items;
    } catch {
      this.#asked = null; // asked again by whoever needs it next
      return;
    }
    live.onResync(() => void ask(api.GET("/api/v1/areas")).then((said) => { this.all = said.items; }, () => undefined));
  }
  name(id: number | null | undefined): string {
    return (id !== null && id !== undefined && this.byId.get(id)?.name) || "";
  }
  /** From the uppermost area that one may see down to this one. */
  trail(id: number | null): Area[] {
    const found: Area[] = [];
    for (let area = id === null ? undefined : this.byId.get(id); area; area = area.parent_id === null ? undefined : this.byId.get(area.parent_id)) found.unshift(area);
    return found;
  }
}
export const areas = new Areas();
