// Steers one camera: an order while something is held, repeated while it is held on, and a stop. The
// camera stops by itself when no further order comes: this page may be gone.
import { api, ask, Problem, type Schemas } from "$/hub/api";
import { troubleOf } from "$/shell/toasts.svelte";

export interface Way { pan: number; tilt: number; zoom: number }
export type Preset = Schemas["PtzPresetOut"];
type Hold = Schemas["PtzHoldOut"];
const REPEAT_MS = 500;
const LASTS_S = 1.5;
const STEP_S = 0.4;

export class Steering {
  isMoving = $state(false);
  /** How fast to move, 0 to 1. */
  speed = $state(0.5);
  trouble = $state("");
  /** Who steers in our place; null when nobody does. */
  other = $state.raw<Hold | null>(null);
  presets = $state.raw<readonly Preset[] | null>(null);
  presetsTrouble = $state("");
  #timer = 0;
  #path: { device_id: number };
  #isOver = false;
  #underWay = 0;
  #isToStop = false;

  constructor(readonly device: number) {
    this.#path = { device_id: device };
  }
  /** Move on until `release`. */
  hold(towards: Way): void {
    const way = this.#fast(towards);
    window.clearInterval(this.#timer);
    this.isMoving = true;
    void this.#move(way, LASTS_S);
    this.#timer = window.setInterval(() => void this.#move(way, LASTS_S), REPEAT_MS);
  }
  release(): void {
    if (!this.isMoving) return;
    window.clearInterval(this.#timer);
    this.isMoving = false;
    const isUnderWay = this.#underWay > 0;
    void this.#stop();
    // An order that is still under way may arrive after the stop that was sent after it.
    if (isUnderWay) this.#isToStop = true;
  }
  /** A short step: the wheel of a mouse. */
  step(way: Way): void {
    if (!this.isMoving) void this.#move(this.#fast(way), STEP_S);
  }
  async goTo(preset: string): Promise<void> {
    await this.#order(() => ask(api.POST("/api/v1/devices/{device_id}/ptz/goto", { params: { path: this.#path }, body: { preset, take_over: false } })));
  }
  async goHome(): Promise<void> {
    await this.#order(() => ask(api.POST("/api/v1/devices/{device_id}/ptz/home", { params: { path: this.#path }, body: { take_over: false } })));
  }
  async takeOver(): Promise<void> {
    this.other = null;
    await this.#move({ pan: 0, tilt: 0, zoom: 0 }, 0.1, true);
  }
  async readPresets(): Promise<void> {
    try {
      const said = await ask(api.GET("/api/v1/devices/{device_id}/ptz/presets", { params: { path: this.#path } }));
      if (this.#isOver) return;
      this.presets = said.items;
      this.presetsTrouble = "";
    } catch (error) {
      if (!this.#isOver) this.presetsTrouble = troubleOf(error);
    }
  }
  async store(name: string): Promise<void> {
    await ask(api.POST("/api/v1/devices/{device_id}/ptz/presets", { params: { path: this.#path }, body: { name } }));
    await this.readPresets();
  }
  async forget(preset: string): Promise<void> {
    await ask(api.POST("/api/v1/devices/{device_id}/ptz/presets/remove", { params: { path: this.#path }, body: { preset } }));
    await this.readPresets();
  }
  end(): void {
    this.release();
    this.#isOver = true;
  }

  #fast(way: Way): Way {
    return { pan: way.pan * this.speed, tilt: way.tilt * this.speed, zoom: way.zoom * this.speed };
  }
  async #stop(): Promise<void> {
    await this.#order(() => ask(api.POST("/api/v1/devices/{device_id}/ptz/stop", { params: { path: this.#path }, keepalive: true })));
  }
  async #move(way: Way, lastsS: number, takeOver = false): Promise<void> {
    const body = { ...way, lasts_s: lastsS, take_over: takeOver };
    this.#underWay += 1;
    await this.#order(() => ask(api.POST("/api/v1/devices/{device_id}/ptz/move", { params: { path: this.#path }, body })));
    this.#underWay -= 1;
    if (this.#underWay || !this.#isToStop) return;
    this.#isToStop = false;
    if (!this.isMoving) await this.#stop();
  }
  async #order(give: () => Promise<unknown>): Promise<void> {
    try {
      await give();
      this.trouble = "";
      this.other = null;
    } catch (error) {
      window.clearInterval(this.#timer);
      this.isMoving = false;
      if (this.#isOver) return;
      if (error instanceof Problem && error.status === 409) await this.#whoSteers();
      if (!this.other) this.trouble = troubleOf(error);
    }
  }
  async #whoSteers(): Promise<void> {
    const said = await ask(api.GET("/api/v1/devices/{device_id}/ptz", { params: { path: this.#path } })).catch(() => null);
    this.other = said?.holder && !said.holder.is_me ? said.holder : null;
  }
}

/** Where a key leads while one steers; null for other keys. */
export function wayOf(key: string): Way | null {
  return WAYS[key] ?? null;
}
const WAYS: Readonly<Record<string, Way>> = {
  ArrowLeft: { pan: -1, tilt: 0, zoom: 0 }, ArrowRight: { pan: 1, tilt: 0, zoom: 0 }, ArrowUp: { pan: 0, tilt: 1, zoom: 0 }, ArrowDown: { pan: 0, tilt: -1, zoom: 0 },
  "+": { pan: 0, tilt: 0, zoom: 1 }, "=": { pan: 0, tilt: 0, zoom: 1 }, "-": { pan: 0, tilt: 0, zoom: -1 },
};
