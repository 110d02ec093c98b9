// The site's zone and the hub's clock. A screen whose own clock is wrong shows the hub's time.
import { api, ask } from "./api";
import { speech } from "./language.svelte";

class Site {
  zone = $state("UTC");
  version = $state("");
  /** Live video can be had by WebRTC too. */
  webrtc = false;
  /** The hub's clock minus ours, in ms. */
  offset = $state(0);
  /** Ticks each second: what shows an age reads it. */
  tick = $state(Date.now());

  async load(): Promise<void> {
    const before = Date.now();
    const said = await ask(api.GET("/api/v1/site"));
    this.zone = said.zone;
    this.version = said.version;
    this.webrtc = said.webrtc;
    this.offset = Date.parse(said.now) - (before + Date.now()) / 2;
  }
  /** The hub's time now, in ms. */
  now(): number {
    return this.tick + this.offset;
  }
}
export const site = new Site();
if (typeof window !== "undefined") setInterval(() => { site.tick = Date.now(); }, 1000);

type Shape = "time" | "date" | "both" | "minute";
const SHAPES: Record<Shape, Intl.DateTimeFormatOptions> = {
  time: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  minute: { hour: "2-digit", minute: "2-digit" },
  date: { year: "numeric", month: "2-digit", day: "2-digit" },
  both: { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" },
};
const made = new Map<string, Intl.DateTimeFormat>();

/** A moment in the site's zone: "2026-11-22 03:04:05". The same form in both languages. */
export function showTime(at: string | number | Date, shape: Shape = "both"): string {
  const key = `${site.zone} ${shape}`;
  let format = made.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("sv-SE", { timeZone: site.zone, hourCycle: "h23", ...SHAPES[shape] });
    made.set(key, format);
  }
  return format.format(new Date(at));
}

/** The day ("2026-11-22") of a moment in the site's zone. */
export const dayOf = (at: string | number | Date): string => showTime(at, "date");

const UNITS = { zh: ["秒", "分钟", "小时", "天"], en: ["s", "min", "h", "d"] } as const;
/** A length of time in words: "5 min", "2 h 10 min". */
export function showSpan(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const [sec, min, hour, day] = UNITS[speech.current];
  if (s < 60) return `${s} ${sec}`;
  if (s < 3600) return `${Math.floor(s / 60)} ${min}`;
  if (s < 86_400) return `${Math.floor(s / 3600)} ${hour}` + (s % 3600 >= 60 ? ` ${Math.floor((s % 3600) / 60)} ${min}` : "");
  return `${Math.floor(s / 86_400)} ${day}` + (s % 86_400 >= 3600 ? ` ${Math.floor((s % 86_400) / 3600)} ${hour}` : "");
}
