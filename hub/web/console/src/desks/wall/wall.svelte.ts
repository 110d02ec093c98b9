// The wall itself: its layout lies in the address, the chosen and the enlarged tile too; sequences step.
import { site } from "$/hub/site.svelte";
import { router } from "$/shell/router.svelte";
import { Cameras } from "./cameras.svelte";
import { EMPTY, fill, formatLayout, inTurn, nextPlace, parseLayout, put, resize, swap, type Layout, type Size, type Slot } from "./layout";

const LAST = "gengfu.wall"; // what hung there last, on this machine
export const EVERY = { least: 5, usual: 15, most: 600 };
export interface Shown { camera: number | null; area: number | null; at: number; of: number }

export class Wall {
  cameras = new Cameras();
  chosen = $state(0);
  isPaused = $state(false);
  #step = $state(0);
  #stepped = $state(0);

  layout = $derived.by((): Layout => parseLayout(router.query.get("layout")) ?? parseLayout(localStorage.getItem(LAST)) ?? EMPTY);
  /** The area whose cameras the whole wall shows in turn. */
  walk = $derived(numberOf(router.query.get("walk")));
  every = $derived(Math.min(EVERY.most, Math.max(EVERY.least, numberOf(router.query.get("every")) ?? EVERY.usual)));
  enlarged = $derived.by(() => {
    const at = numberOf(router.query.get("open"));
    return at !== null && at <= this.layout.size && this.shown[at - 1]?.camera ? at - 1 : null;
  });
  areas = $derived([...new Set([...(this.walk ? [this.walk] : []), ...this.layout.slots.flatMap((slot) => (slot.kind === "area" ? [slot.id] : []))])]);
  /** What each tile shows now. */
  shown = $derived.by(() => this.layout.slots.map((slot, place) => this.#shownIn(slot, place)));
  camera = $derived(this.shown[this.chosen]?.camera ?? null);

  #shownIn(slot: Slot, place: number): Shown {
    const area = this.walk ?? (slot.kind === "area" ? slot.id : null);
    if (area === null) return { camera: slot.kind === "camera" ? slot.id : null, area: null, at: 0, of: 0 };
    const ids = this.cameras.ofArea.get(area) ?? [];
    // Tiles that step through the same area show different cameras of it.
    const sharing = this.walk ? this.layout.slots.map((_one, n) => n) : this.layout.slots.flatMap((one, n) => (one.kind === "area" && one.id === area ? [n] : []));
    const camera = inTurn(ids, this.#step, sharing.indexOf(place), sharing.length);
    return { camera, area, at: camera === null ? 0 : ids.indexOf(camera) + 1, of: ids.length };
  }

  /** In a component: keep up with what the wall shows. */
  run(): void {
    $effect(() => this.cameras.follow());
    $effect(() => this.cameras.want(this.shown.flatMap((one) => (one.camera ? [one.camera] : []))));
    $effect(() => { for (const area of this.areas) void this.cameras.wantArea(area); });
    $effect(() => { localStorage.setItem(LAST, formatLayout(this.layout)); });
    $effect(() => { if (this.chosen >= this.layout.size) this.chosen = 0; });
    $effect(() => {
      if (!this.areas.length || this.isPaused || this.enlarged !== null) return;
      const every = this.every * 1000;
      this.#stepped = Date.now();
      const timer = window.setInterval(() => { this.#step += 1; this.#stepped = Date.now(); }, every);
      return () => window.clearInterval(timer);
    });
  }
  /** Seconds until the next step. */
  get left(): number {
    return Math.max(0, Math.ceil(this.every - (site.tick - this.#stepped) / 1000));
  }
  set(layout: Layout, more: Record<string, string | number | null> = {}): void {
    router.set({ layout: formatLayout(layout), ...more });
  }
  resize(size: Size): void { this.set(resize(this.layout, size), { open: null }); }
  /** Hang a camera in the chosen place, then choose the next one. */
  hang(id: number): void {
    this.put(this.chosen, { kind: "camera", id });
    this.chosen = nextPlace(this.layout, this.chosen);
  }
  put(at: number, slot: Slot): void { this.set(put(this.layout, at, slot), { walk: null }); }
  swap(from: number, to: number): void { this.set(swap(this.layout, from, to)); this.chosen = to; }
  clear(at: number): void { this.set(put(this.layout, at, { kind: "none" }), { open: null }); }
  clearAll(): void { this.set({ size: this.layout.size, slots: this.layout.slots.map(() => ({ kind: "none" })) }, { walk: null, open: null }); }
  async fillFrom(area: number): Promise<void> {
    await this.cameras.wantArea(area);
    const ids = this.cameras.ofArea.get(area) ?? [];
    if (ids.length) this.set(fill(ids.slice(0, 25)), { walk: null, open: null });
  }
  walkThrough(area: number | null): void { this.#step = 0; router.set({ layout: formatLayout(this.layout), walk: area, open: null }); }
  enlarge(at: number | null): void { router.set({ layout: formatLayout(this.layout), open: at === null ? null : at + 1 }); }
}
function numberOf(text: string | null): number | null {
  return text !== null && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null;
}

/** What a drag carries: a camera's number, or the place of a tile. */
export const DRAG_CAMERA = "application/x-gengfu-device";
export const DRAG_TILE = "application/x-gengfu-tile";
/** The camera that is dragged here; links to a device count, from whatever window. */
export function droppedCamera(data: DataTransfer): number | null {
  const own = numberOf(data.getData(DRAG_CAMERA));
  if (own !== null) return own;
  const found = /\/devices\/([1-9]\d{0,15})(?:$|[?#\s])/.exec(data.getData("text/uri-list"));
  return found ? Number(found[1]) : null;
}
