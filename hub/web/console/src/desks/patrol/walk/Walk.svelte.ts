// One stop after another: what is on the screen, what waits, what may be done about it. A judgement
// names the picture that was on the screen; nothing is judged unseen, and nothing by a key that was
// meant for the stop before.
import { api, ask, askBlob, Problem, type Schemas } from "$/hub/api";
import { kindWords } from "$/parts/kinds";
import { drafts } from "$/hub/drafts";
import { session } from "$/hub/session.svelte";
import { troubleOf } from "$/shell/toasts.svelte";
import { isOver, type Round, type Stop } from "../rounds";
import { words as common } from "../words";
import { wordOf } from "$/parts/states";
import { Album, fetchImage, release } from "./album";
import { lookOf, placeOf, refill, tick, type Item } from "./queue";
import { Sending } from "./Sending.svelte";
import { words } from "./words";

export type FormKind = "abnormal" | "skip" | "disagree" | "pause" | "handOver";
const QUEUED = 12;
const FETCHED_AHEAD = 3;
const SHORTEST_LOOK_MS = 250;
const AGAIN_MS = 300;

/** What a stop came to, in words. */
export const saidOf = (stop: Stop): string => [wordOf(common.results, stop.result), stop.kind && wordOf(kindWords, stop.kind), stop.note].filter(Boolean).join(" · ");

export class Walk {
  round = $state.raw<Round | null>(null);
  queue = $state.raw<readonly Item[]>([]);
  coming = $state(0);
  checked = $state.raw<readonly boolean[]>([]);
  isKnown = $state(false);
  isBusy = $state(false);
  isSeen = $state(false);
  isBlind = $state(false);
  isZoomed = $state(false);
  image = $state.raw<HTMLImageElement | null>(null);
  /** What stands where a picture would be. */
  empty = $state("");
  side = $state<"" | "usual" | "live">("");
  usual = $state.raw<HTMLImageElement | null>(null);
  film = $state("");
  form = $state<FormKind | null>(null);
  wishesTask = $state(false);
  note = $state("");
  isWell = $state(false);
  readonly sending = new Sending();
  current = $derived(this.queue[0]);
  isMine = $derived.by(() => this.isSecond || this.round?.walker_id === session.user?.id);
  isOver = $derived(this.round !== null && isOver(this.round));
  isPaused = $derived(this.round?.state === "paused");

  #album = new Album();
  #done = new Set<string>();
  #later = new Set<string>();
  #turn = 0;
  #timer = 0;
  #isGone = false;

  constructor(readonly isSecond: boolean, round: Round | null) {
    this.round = round;
    void this.refill().catch((error: unknown) => this.say(troubleOf(error)));
  }

  say(text: string, isWell = false): void {
    this.note = text;
    this.isWell = isWell;
  }
  close(): void {
    this.#isGone = true;
    this.#turn++;
    window.clearTimeout(this.#timer);
    this.sending.giveUp();
    this.#album.hold([]);
    this.#putAway();
  }

  // what waits ------------------------------------------------------------------------------------

  async refill(mayDrop = false): Promise<void> {
    const found = await this.#read();
    if (this.#isGone) return;
    const before = this.current;
    this.queue = refill(before, found, { done: this.#done, later: this.#later }, mayDrop);
    const isFirst = !this.isKnown;
    this.isKnown = true;
    if (isFirst || (before && lookOf(before)) !== (this.current && lookOf(this.current))) this.present();
    else this.#fetchAhead();
  }
  async #read(): Promise<Item[]> {
    if (this.isSecond) {
      const { items } = await ask(api.GET("/api/v1/patrol-second-looks", { params: { query: { limit: QUEUED } } }));
      return items.map((one) => ({ ...one.stop, round_id: one.round_id, plan_name: one.plan_name, planned_at: one.planned_at, checklist: one.checklist }));
    }
    const round = this.round as Round;
    const { items, coming } = await ask(api.GET("/api/v1/patrol-rounds/{round_id}/queue", { params: { path: { round_id: round.id }, query: { limit: QUEUED } } }));
    this.coming = coming;
    return items.map((one) => ({ ...one, round_id: round.id, plan_name: round.plan_name, planned_at: round.planned_at, checklist: round.checklist }));
  }
  soon(): void {
    // A stream of news must not put the reading off for ever: the first of them sets the time.
    this.#timer ||= window.setTimeout(() => {
      this.#timer = 0;
      if (!this.#isGone) void this.refill().catch((error: unknown) => this.say(troubleOf(error)));
    }, AGAIN_MS);
  }
  /** The hub says how the round stands now. */
  heard(round: Round): void {
    this.round = round;
    if (this.isOver || !this.isMine) this.form = null;
    else this.soon();
  }
  /** The line or the session is back: what could not be shown is asked for again. */
  again(): void {
    if (this.isBlind) this.present();
    this.soon();
  }
  /** Whoever takes his own round has lost looks asked for again: nobody waits before an empty screen. */
  async askAgain(): Promise<void> {
    if (this.isSecond || !this.round || this.current || this.isBusy || this.isOver || !this.isMine) return;
    try {
      this.round = await ask(api.POST("/api/v1/patrol-rounds/{round_id}/take", { params: { path: { round_id: this.round.id } }, body: { take_over: false } }));
      await this.refill();
    } catch { /* said by the age banner, or by the next deed */ }
  }

  // what is shown ---------------------------------------------------------------------------------

  #putAway(): void {
    if (this.usual) release(this.usual);
    if (this.film) URL.revokeObjectURL(this.film);
    this.usual = null;
    this.film = "";
  }
  #wanted = (item: Item): { key: string; path: string; alt: string } => ({ key: lookOf(item), path: `/api/v1/patrol-rounds/${item.round_id}/stops/${item.position}/picture?sha256=${item.picture_sha256}`, alt: item.device_name });
  #fetchAhead(): void {
    this.#album.hold(this.queue.slice(0, 1 + FETCHED_AHEAD).filter((one) => one.has_picture).map(this.#wanted));
  }
  present(): void {
    const turn = ++this.#turn;
    const item = this.current;
    this.#putAway();
    Object.assign(this, { side: this.side === "live" ? "live" : "", isSeen: false, isBlind: false, isZoomed: false, image: null, empty: "", form: null });
    this.checked = item?.checklist.map(() => false) ?? [];
    this.#fetchAhead();
    if (!item) return;
    if (!item.has_picture) return this.#reveal(turn, null, item.reason ? words.noPictureOf(item.reason) : words.noPicture);
    this.empty = words.loading;
    this.#album.get(this.#wanted(item)).then(
      (image) => this.#reveal(turn, image, ""),
      (error: unknown) => {
        if (turn !== this.#turn) return;
        this.isBlind = true;
        this.#reveal(turn, null, words.noPictureOf(troubleOf(error)));
        this.say(words.blind);
      },
    );
  }
  #reveal(turn: number, image: HTMLImageElement | null, empty: string): void {
    if (turn !== this.#turn) return;
    this.image = image;
    this.empty = empty;
    const look = (): void => {
      if (turn !== this.#turn) return;
      // A hidden page shows nothing to anybody.
      if (document.hidden) document.addEventListener("visibilitychange", () => window.setTimeout(look, SHORTEST_LOOK_MS), { once: true });
      else this.isSeen = true;
    };
    window.setTimeout(look, SHORTEST_LOOK_MS);
  }
  /** What the camera shows when all is well, beside tonight's picture. */
  async showUsual(): Promise<void> {
    const item = this.current;
    if (this.side === "usual" || !item?.device_id) { this.side = ""; return; }
    const turn = this.#turn;
    try {
      const image = await fetchImage(`/api/v1/devices/${item.device_id}/picture/good.jpg`, `${item.device_name} ${words.usual}`);
      if (turn !== this.#turn) return release(image);
      if (this.usual) release(this.usual);
      this.usual = image;
      this.side = "usual";
    } catch (error) {
      if (turn === this.#turn) this.say(error instanceof Problem && error.status === 404 ? words.noUsual : troubleOf(error));
    }
  }
  showLive(): void {
    if (this.current?.device_id) this.side = this.side === "live" ? "" : "live";
  }
  async showFilm(): Promise<void> {
    const item = this.current;
    if (!item?.clip_sha256) return;
    if (this.film) return this.endFilm();
    const turn = this.#turn;
    try {
      const { blob } = await askBlob(`/api/v1/patrol-rounds/${item.round_id}/stops/${item.position}/clip`);
      if (turn === this.#turn) this.film = URL.createObjectURL(blob);
    } catch (error) {
      if (turn === this.#turn) this.say(troubleOf(error));
    }
  }
  /** Back to the picture: it must be looked at again before it is judged. */
  endFilm(): void {
    if (this.film) this.present();
  }

  // what is done ----------------------------------------------------------------------------------

  /** Whether a deed about the stop on the screen may begin; what hinders it is said. */
  isReady(): boolean {
    if (this.isBusy || !this.current || this.isOver || !this.isMine || this.isPaused) return false;
    if (this.film) { this.endFilm(); return false; }
    if (!this.isSeen) this.say(words.notSeenYet);
    return this.isSeen;
  }
  async #doing(work: () => Promise<void>): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      await work();
    } catch (error) {
      await this.#refused(error);
    } finally {
      this.isBusy = false;
    }
  }
  async #refused(error: unknown): Promise<void> {
    if (error instanceof Problem && error.status === 401) return; // the form lies under the sign-in, as it was
    // Somebody was faster, or the picture is another one: show how it stands now.
    if (error instanceof Problem && (error.status === 409 || error.status === 404)) await this.refill(true).catch(() => undefined);
    this.say(error instanceof Problem && error.status === 0 ? words.wasNotSent : troubleOf(error));
  }
  #judge(item: Item, text: string, post: () => Promise<Stop>): Promise<void> {
    const mine = (stop: Stop): boolean => (this.isSecond ? stop.second_by : stop.judged_by) === session.user?.name;
    const path = { round_id: item.round_id, position: item.position };
    const had = async (): Promise<Stop | null> => {
      const stands = await ask(api.GET("/api/v1/patrol-rounds/{round_id}/stops/{position}", { params: { path } }));
      return mine(stands) ? stands : null;
    };
    return this.#doing(async () => this.#finish(item, await this.sending.send(words.unsent(item.device_name, text), post, had)));
  }
  #finish(item: Item, after: Stop): void {
    this.#done.add(lookOf(item));
    for (const kind of ["abnormal", "skip", "disagree"] as const) drafts.drop(this.draftKey(kind, item));
    this.queue = this.queue.filter((one) => lookOf(one) !== lookOf(item));
    const result = this.isSecond ? (after.second_look === "agreed" ? words.agree : words.disagree) : saidOf(after);
    this.say([words.judged(item.device_name, result), after.dispatch_id && !this.isSecond ? words.sent(after.dispatch_id) : ""].filter(Boolean).join(" · "), true);
    this.present();
    this.soon();
  }
  draftKey(kind: FormKind, item: Item | undefined = this.current): string {
    return kind === "pause" || kind === "handOver" ? `walk.${this.round?.id}.${kind}` : `walk.${item ? placeOf(item) : ""}.${kind}`;
  }
  judge(body: Omit<Schemas["JudgeIn"], "checked" | "picture_sha256">): Promise<void> {
    const item = this.current;
    if (!item) return Promise.resolve();
    const path = { round_id: item.round_id, position: item.position };
    return this.#judge(item, body.result === "normal" ? words.normal : words.abnormal, () => ask(api.POST("/api/v1/patrol-rounds/{round_id}/stops/{position}/judge", { params: { path }, body: { ...body, checked: [...this.checked], picture_sha256: item.picture_sha256 } })));
  }
  async normal(): Promise<void> {
    if (!this.isReady() || !this.current?.has_picture || this.isBlind) return;
    if (!this.checked.every(Boolean)) return this.say(words.tickFirst);
    await this.judge({ result: "normal", kind: "", note: "" });
  }
  skip(reason: string): Promise<void> {
    const item = this.current;
    if (!item) return Promise.resolve();
    const path = { round_id: item.round_id, position: item.position };
    return this.#judge(item, words.skip, () => ask(api.POST("/api/v1/patrol-rounds/{round_id}/stops/{position}/skip", { params: { path }, body: { reason } })));
  }
  second(agrees: boolean, note: string): Promise<void> {
    const item = this.current;
    if (!item || (agrees && !this.isReady()) || this.isBlind) return Promise.resolve();
    const path = { round_id: item.round_id, position: item.position };
    return this.#judge(item, agrees ? words.agree : words.disagree, () => ask(api.POST("/api/v1/patrol-rounds/{round_id}/stops/{position}/second-look", { params: { path }, body: { agrees, note, picture_sha256: item.picture_sha256 } })));
  }
  later(): void {
    const item = this.current;
    if (this.isBusy || !item || this.queue.length < 2 || this.isPaused || this.isOver || !this.isMine || this.form) return;
    this.#later.add(placeOf(item));
    this.queue = [...this.queue.slice(1), item];
    this.say("");
    this.present();
    this.soon();
  }
  async lookAgain(): Promise<void> {
    const item = this.current;
    if (!this.isReady() || !item) return;
    const path = { round_id: item.round_id, position: item.position };
    await this.#doing(async () => {
      await ask(api.POST("/api/v1/patrol-rounds/{round_id}/stops/{position}/look-again", { params: { path } }));
      this.#done.add(lookOf(item));
      this.queue = this.queue.filter((one) => lookOf(one) !== lookOf(item));
      this.present();
      this.say(words.retaking, true);
      this.soon();
    });
  }
  /** Something about the whole round: pause, go on, hand over. */
  ofRound(kind: FormKind | "resume", post: () => Promise<Round>): Promise<void> {
    return this.#doing(async () => {
      const after = await post();
      if (kind !== "resume") drafts.drop(this.draftKey(kind));
      this.form = null;
      this.say("");
      this.heard(after);
    });
  }
  open(kind: FormKind, wishesTask = false): void {
    if (this.isBusy) return;
    const isOfRound = kind === "handOver" || kind === "pause";
    if (isOfRound ? this.isOver || !this.isMine : !this.isReady()) return;
    if (this.isBlind && kind !== "skip" && !isOfRound) return;
    this.say("");
    this.wishesTask = wishesTask;
    this.form = kind;
  }
  tick(digit: number): void {
    if (!this.current || this.isSecond || !this.checked.length) return;
    this.checked = tick(this.checked, digit);
    this.say("");
  }
}
