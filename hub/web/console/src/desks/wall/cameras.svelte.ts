// The cameras that hang on the wall: what the hub knows of them, and their open alerts. Read once each,
// kept up to date by the live stream.
import { SvelteMap } from "svelte/reactivity";
import { api, ask, Problem, type Schemas } from "$/hub/api";
import { live } from "$/hub/live.svelte";

export type Line = Schemas["DeviceLineOut"];
export type Alert = Schemas["AlertOut"];
const RANK: Record<string, number> = { critical: 3, warning: 2, info: 1 };

export class Cameras {
  lines = new SvelteMap<number, Line>();
  alerts = new SvelteMap<number, Alert>();
  /** The cameras of an area, in order; null while they are being read. */
  ofArea = new SvelteMap<number, readonly number[]>();
  #asked = new Set<number>();

  /** Follow what changes; returns the end of it. */
  follow(): () => void {
    const ends = [
      live.follow("devices", (items) => items.forEach((line) => { if (this.lines.has(line.id)) this.lines.set(line.id, line); })),
      live.follow("alerts", (items) => items.forEach((alert) => this.#note(alert))),
      live.onResync(() => this.#again()),
    ];
    return () => ends.forEach((end) => end());
  }
  want(ids: readonly number[]): void {
    for (const id of ids) {
      if (this.#asked.has(id)) continue;
      this.#asked.add(id);
      void this.#read(id);
    }
  }
  async wantArea(area: number): Promise<void> {
    if (this.ofArea.has(area)) return;
    const said = await ask(api.GET("/api/v1/devices", { params: { query: { area, kind: "camera", registration: "approved", limit: 500 } } })).catch(() => null);
    if (!said) return;
    for (const line of said.items) { this.#asked.add(line.id); this.lines.set(line.id, line); }
    this.ofArea.set(area, said.items.map((line) => line.id));
  }
  #again(): void {
    this.alerts.clear();
    for (const id of this.#asked) void this.#read(id);
    for (const area of [...this.ofArea.keys()]) { this.ofArea.delete(area); void this.wantArea(area); }
  }
  async #read(id: number): Promise<void> {
    try {
      this.lines.set(id, await ask(api.GET("/api/v1/devices/{device_id}", { params: { path: { device_id: id } } })));
      const open = await ask(api.GET("/api/v1/alerts", { params: { query: { device_id: id, open: true, limit: 5 } } }));
      open.items.forEach((alert) => this.#note(alert));
    } catch (error) {
      if (error instanceof Problem && error.status === 404) this.lines.delete(id); // the tile says it
      else this.#asked.delete(id); // asked again with the next change of the wall
    }
  }
  #note(alert: Alert): void {
    if (alert.device_id === null) return;
    const known = this.alerts.get(alert.device_id);
    if (alert.status === "resolved") {
      if (known?.id === alert.id) this.alerts.delete(alert.device_id);
    } else if (!known || known.id === alert.id || (RANK[alert.severity] ?? 0) >= (RANK[known.severity] ?? 0)) this.alerts.set(alert.device_id, alert);
  }
}
