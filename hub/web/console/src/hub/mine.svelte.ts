// What a person has arranged for himself, kept at the hub: it follows him to every screen. A value may
// have been kept by an older console: whoever reads one looks whether it still fits.
import { api, ask, Problem, type Schemas } from "./api";

export type Setting = Schemas["SettingOut"];
export type MineKind = "wall-layout" | "device-view" | "alert-view" | "dispatch-view" | "choices";
type Value = Record<string, unknown>;

/** What is kept of one kind. */
export class Kept {
  items = $state.raw<readonly Setting[]>([]);
  /** False until it was read once: nothing is known of what is kept. */
  isKnown = $state(false);
  #asked: Promise<void> | null = null;

  constructor(private readonly kind: MineKind) {}

  /** Read once; later calls wait for the same answer. Throws a Problem. */
  load(): Promise<void> {
    this.#asked ??= this.#read().catch((error: unknown) => {
      this.#asked = null; // asked again by whoever needs it next
      throw error;
    });
    return this.#asked;
  }
  find(name: string): Setting | undefined {
    return this.items.find((one) => one.name === name);
  }
  /** Keep a value under a name; with `isNew` a name that is taken is a Problem of status 409. */
  async keep(name: string, value: Value, isNew = false): Promise<Setting> {
    const version = isNew ? 0 : undefined;
    const kept = await ask(api.PUT("/api/v1/mine/{kind}/{name}", { params: { path: { kind: this.kind, name } }, body: { value, version } }));
    const others = this.items.filter((one) => one.name !== name);
    this.items = [...others, kept].sort((a, b) => a.name.localeCompare(b.name));
    return kept;
  }
  async forget(name: string): Promise<void> {
    try {
      await ask(api.DELETE("/api/v1/mine/{kind}/{name}", { params: { path: { kind: this.kind, name } } }));
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404) throw error; // forgotten in another window
    }
    this.items = this.items.filter((one) => one.name !== name);
  }
  async #read(): Promise<void> {
    this.items = (await ask(api.GET("/api/v1/mine/{kind}", { params: { path: { kind: this.kind } } }))).items;
    this.isKnown = true;
  }
}

const KINDS: readonly MineKind[] = ["wall-layout", "device-view", "alert-view", "dispatch-view", "choices"];
const all = new Map(KINDS.map((kind) => [kind, new Kept(kind)]));

/** `mine("wall-layout")`: one for the whole page, however many ask. */
export function mine(kind: MineKind): Kept {
  const kept = all.get(kind);
  if (!kept) throw new Error(kind);
  return kept;
}
