// The hub's live stream. It knows how old what is shown may be: "live", "stale" (the hub is there, its
// database is not) or "lost" (nothing heard), and since when. It comes back by itself.
import { api, type Schemas } from "./api";

const BEAT_LIMIT_MS = 40_000; // the hub speaks every 15 s: two missed, and the line is not trusted
const RETRY_MS = 3_000;

/** Rows of each collection as they change. */
export interface Topics {
  alerts: Schemas["AlertOut"];
  "area-outlines": { area_id: number };
  connections: Schemas["ConnectionOut"];
  devices: Schemas["DeviceLineOut"];
  discoveries: Schemas["DiscoveryNewsOut"];
  dispatches: Schemas["DispatchOut"];
  events: Schemas["EventOut"];
  handovers: Schemas["HandoverNewsOut"];
  "patrol-reports": Schemas["PatrolReportOut"];
  "patrol-rounds": Schemas["RoundOut"];
  "room-calls": Schemas["RoomCallOut"];
}
export type Topic = keyof Topics;
type Follower = (items: never[]) => void;

class Live {
  state = $state<"connecting" | "live" | "stale" | "lost">("connecting");
  since = $state<Date | null>(null);
  #source: EventSource | null = null;
  #timer = 0;
  #heard = 0;
  #good = Date.now();
  #followers = new Map<Topic, Set<Follower>>();
  #resyncs = new Set<() => void>();
  #ended: () => void = () => undefined;

  /** Begin; `ended` is called once when the session is over. */
  start(ended: () => void): void {
    this.stop();
    this.#ended = ended;
    this.#connect();
    this.#timer = window.setInterval(() => void this.#look(), RETRY_MS);
  }
  stop(): void {
    window.clearInterval(this.#timer);
    this.#source?.close();
    this.#source = null;
  }
  /** Hear of changed rows of one collection until the returned function is called. */
  follow<T extends Topic>(topic: T, tell: (items: Topics[T][]) => void): () => void {
    let all = this.#followers.get(topic);
    if (!all) {
      all = new Set();
      this.#followers.set(topic, all);
      this.#listen(topic);
    }
    const follower = tell as Follower;
    all.add(follower);
    return () => all.delete(follower);
  }
  /** Hear that lists must be read again: after a gap, or when what one may see changed. */
  onResync(tell: () => void): () => void {
    this.#resyncs.add(tell);
    return () => this.#resyncs.delete(tell);
  }

  #tell(state: "live" | "stale" | "lost"): void {
    if (state === "live") this.since = null;
    else this.since ??= new Date(this.#good);
    this.state = state;
  }
  #connect(): void {
    this.#source?.close();
    this.#heard = Date.now();
    const source = new EventSource("/api/v1/live");
    this.#source = source;
    let isFirst = this.state === "connecting";
    source.addEventListener("beat", (event: MessageEvent<string>) => {
      this.#heard = Date.now();
      const isGood = (JSON.parse(event.data) as { database: boolean }).database;
      if (isGood) this.#good = this.#heard;
      const was = this.state;
      this.#tell(isGood ? "live" : "stale");
      if (isGood && was !== "live" && !isFirst) this.#resync();
      isFirst = false;
    });
    source.addEventListener("resync", () => this.#resync());
    source.addEventListener("ended", () => { this.stop(); this.#ended(); });
    source.onerror = () => this.#tell("lost");
    for (const topic of this.#followers.keys()) this.#listen(topic);
  }
  #listen(topic: Topic): void {
    this.#source?.addEventListener(topic, (event: MessageEvent<string>) => {
      this.#heard = Date.now();
      const { items } = JSON.parse(event.data) as { items: never[] };
      for (const tell of this.#followers.get(topic) ?? []) tell(items);
    });
  }
  #resync(): void {
    for (const tell of this.#resyncs) tell();
  }
  async #look(): Promise<void> {
    const isSilent = Date.now() - this.#heard > BEAT_LIMIT_MS;
    if (isSilent) this.#tell("lost");
    if (!isSilent && this.#source?.readyState !== EventSource.CLOSED) return;
    const asked = this.#source;
    const answer = await api.GET("/api/v1/session/me").catch(() => null);
    if (this.#source !== asked) return;
    if (answer?.response.status === 401) { this.stop(); this.#ended(); }
    else this.#connect();
  }
}
export const live = new Live();
