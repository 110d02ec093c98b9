// Watches for alerts that call, whichever desk is open: sound, notices of the machine, the page's title.
// The browser lets a page sound only after somebody touched it; until then it says that it is silent.
import { api, ask } from "$/hub/api";
import { live } from "$/hub/live.svelte";
import { mine } from "$/hub/mine.svelte";
import { site } from "$/hub/site.svelte";
import { attempt, say } from "$/shell/toasts.svelte";
import { muteAfter, muteAt, muteFor, readMute, writeMute, type Mute } from "./mute";
import { titleOf, type Alert } from "./need";
import { paced } from "./paced";
import { DEFAULTS, Ears, Gate, readChoices, worstOf, type Choices } from "./ringing";
import { play } from "./tones";
import { words } from "./words";

const KEY = "gengfu.mute";
const CHOICES = "alert-sound";
const COUNT_MS = 5000;
const TITLE = "更夫 Gengfu";

class Watch {
  choices = $state.raw<Choices>(DEFAULTS);
  #mute = $state.raw<Mute | null>(null);
  /** "running" sounds; anything else does not, and is said. */
  audio = $state<AudioContextState | "none" | "off">("off");
  #context: AudioContext | null = null;
  #ears: Ears | null = null;
  #gate = new Gate();
  #recount = paced(COUNT_MS, () => void this.#count());

  /** The mute as it is this second. */
  get mute(): Mute | null {
    return muteAt(this.#mute, site.tick);
  }
  /** Begin, once; it goes on whichever desk is open. */
  start(): void {
    if (this.#ears) return;
    this.#ears = new Ears(site.now());
    this.#mute = readMute(localStorage.getItem(KEY), Date.now());
    void mine("choices").load().then(() => { this.choices = readChoices(mine("choices").find(CHOICES)?.value); }, () => undefined);
    this.#open();
    for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => void this.wake(), { capture: true });
    live.follow("alerts", (items) => { this.hear(items); this.#recount.soon(); });
    live.onResync(() => { this.#recount.soon(); void this.#catchUp(); });
    void this.#count();
  }
  /** Let it sound, when somebody touches the page. */
  async wake(): Promise<void> {
    if (this.#context && this.#context.state !== "running") await this.#context.resume().catch(() => undefined);
    if (this.#context) this.audio = this.#context.state;
  }
  muteFor(minutes: number): void {
    this.#keep(muteFor(minutes, this.choices.breaks, Date.now()));
  }
  unmute(): void {
    this.#keep(null);
  }
  async choose(changes: Partial<Choices>): Promise<void> {
    this.choices = { ...this.choices, ...changes };
    if (this.#mute && changes.breaks !== undefined) this.#keep({ ...this.#mute, breaks: changes.breaks });
    await attempt(() => mine("choices").keep(CHOICES, { ...this.choices }));
  }
  /** What one's choice sounds like. */
  async taste(severity: string): Promise<void> {
    await this.wake();
    if (this.#context) play(this.#context, severity, this.choices.volume);
  }
  hear(items: readonly Alert[]): void {
    const calling = this.#ears?.hear(items, this.choices, site.now()) ?? [];
    if (!calling.length) return;
    const worst = worstOf(calling);
    const before = muteAt(this.#mute, Date.now());
    if (before !== null && muteAfter(before, worst) === null) { this.#keep(null); say(words.sound.ended); }
    this.#notify(calling);
    if (muteAt(this.#mute, Date.now()) !== null || !this.#context || this.#context.state !== "running") return;
    if (this.#gate.passes(worst, Date.now())) play(this.#context, worst, this.choices.volume);
  }
  /** What fired while the line was down calls now. */
  async #catchUp(): Promise<void> {
    const said = await ask(api.GET("/api/v1/alerts", { params: { query: { open: true, status: "firing", sort: "newest", drill: true, limit: 200 } } })).catch(() => null);
    if (said) this.hear(said.items);
  }
  #open(): void {
    if (typeof AudioContext === "undefined") { this.audio = "none"; return; }
    const context = new AudioContext();
    this.#context = context;
    this.audio = context.state;
    context.onstatechange = () => { this.audio = context.state; };
  }
  #keep(mute: Mute | null): void {
    this.#mute = mute;
    if (mute) localStorage.setItem(KEY, writeMute(mute));
    else localStorage.removeItem(KEY);
  }
  #notify(calling: readonly Alert[]): void {
    if (!this.choices.desktop || !document.hidden || typeof Notification === "undefined" || Notification.permission !== "granted") return;
    const [first] = calling;
    if (!first) return;
    const notice = new Notification(words.sound.notice(calling.length), { body: `${titleOf(first)}: ${first.reason}`, tag: "gengfu-alerts", silent: true });
    notice.onclick = () => { window.focus(); notice.close(); };
  }
  async #count(): Promise<void> {
    const said = await ask(api.GET("/api/v1/alerts/counts")).catch(() => null);
    const open = Object.values(said?.severities ?? {}).reduce((sum, count) => sum + count, 0);
    const bad = said?.severities["critical"] ?? 0;
    document.title = open ? `(${bad ? `▲${bad} · ` : ""}${open}) ${TITLE}` : TITLE;
  }
}
export const watch = new Watch();
