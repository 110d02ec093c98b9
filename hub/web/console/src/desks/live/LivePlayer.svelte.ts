// One live picture: its socket to the hub, what is shown, and what may be believed of it.
import { Pace, retryAfterMs } from "./buffer";
import { Feed } from "./feed";
import { Peer } from "./peer";
import { parseMessage, playableTypes, type EndedWhy, type Message, type PicturesWhy, type StreamRole } from "./messages";
import { judge, type Facts, type Verdict } from "./verdict";
import { everyQuarter, watchFrames } from "./watch";
import { api, ask, Problem } from "$/hub/api";
import { site } from "$/hub/site.svelte";

const REST_AFTER_MS = 60_000; // nobody looks at a hidden tab: its streams end after that
const FATAL = new Set<EndedWhy>(["gone", "too_many"]);
const MOST_BREAKS = 2; // then pictures are asked for in place of a film
const BREAKS_COUNT_MS = 60_000;
const PEER_STARTS_MS = 8000; // a film by WebRTC that has not begun then does not
const PEER_AGAIN_MS = 60_000;

export class LivePlayer {
  verdict = $state.raw<Verdict>({ word: "connecting", since: null, why: "", layer: null });
  mode = $state<"video" | "pictures">("video");
  /** Of what is sent, in pixels; 0 while it is not known. */
  size = $state.raw({ width: 0, height: 0 });
  stream = $state<StreamRole | null>(null);
  viewers = $state.raw<readonly string[]>([]);
  /** The picture of `pictures` mode. */
  picture = $state("");
  /** When a picture was seen last on the screen, in ms of this machine's clock. */
  shownAt = $state<number | null>(null);

  #socket: WebSocket | null = null;
  #feed: Feed | null = null;
  #peer: Peer | null = null;
  #peerAt = 0; // when WebRTC was tried last
  #facts: Facts = {
    now: Date.now(), shownAt: null, heardAt: null, turnedAt: Date.now(), hub: null, mode: "video",
    picturesWhy: null, patienceMs: 2000, isResting: false, ended: null, refused: null,
  };
  #pace = new Pace();
  #next: "init" | "picture" | null = null;
  #isNew = true; // this connection has brought no film yet
  #tries = 0;
  #breaks = 0;
  #brokeAt = 0;
  #timer = 0;
  #restTimer = 0;
  #isOver = false;
  readonly #ends: (() => void)[];

  constructor(private readonly video: HTMLVideoElement, private readonly device: number, private readonly wanted: StreamRole, private readonly channel = "") {
    this.#ends = [watchFrames(video, (at) => this.#saw(at)), everyQuarter(() => this.#look())];
    document.addEventListener("visibilitychange", this.#turned);
    this.#open();
  }
  get lag(): number {
    return this.#feed?.lag ?? 0;
  }
  close(): void {
    this.#isOver = true;
    document.removeEventListener("visibilitychange", this.#turned);
    this.#ends.forEach((end) => end());
    window.clearTimeout(this.#restTimer);
    this.#drop();
    this.#feed?.close();
    if (this.picture) URL.revokeObjectURL(this.picture);
  }
  /** Try again now, whatever ended it. */
  again(): void {
    this.#breaks = 0;
    this.#begin();
  }

  #begin(): void {
    this.#facts = { ...this.#facts, ended: null, refused: null, isResting: false, turnedAt: Date.now() };
    this.#tries = 0;
    this.#drop();
    this.#open();
  }
  /** By WebRTC where that can be had, else by the hub's socket. */
  #open(): void {
    if (!site.webrtc || Date.now() - this.#peerAt < PEER_AGAIN_MS) {
      this.#connect();
      return;
    }
    this.#peerAt = Date.now();
    this.#endFeed();
    this.#turn(Date.now());
    this.#facts.hub = null;
    this.#show("video", null);
    this.#peer = new Peer(this.video, () => this.#leavePeer());
    void this.#peer.open(this.device, this.wanted, this.channel);
  }
  /** The socket takes over: it tells what is the matter, and may have the film. */
  #leavePeer(): void {
    this.#peer?.close();
    this.#peer = null;
    if (this.#isOver) return;
    this.#connect();
  }

  #connect(): void {
    const address = new URL(`/api/v1/devices/${this.device}/live`, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    address.searchParams.set("stream", this.wanted);
    if (this.channel) address.searchParams.set("channel", this.channel);
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    let isHeard = false;
    socket.onopen = () => {
      this.#turn(Date.now());
      const types = this.#breaks > MOST_BREAKS ? [] : playableTypes();
      socket.send(JSON.stringify({ play: types }));
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (this.#socket !== socket) return;
      isHeard = true;
      this.#facts.heardAt = Date.now();
      if (typeof event.data !== "string") this.#take(event.data);
      else {
        const said = parseMessage(event.data);
        if (said) this.#hear(said);
      }
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#turn(null);
      if (!isHeard) void this.#askWhy();
      this.#later();
    };
    this.#socket = socket;
    this.#next = null;
    this.#isNew = true;
    this.#facts.hub = null;
  }
  /** A socket that is refused does not say why; the device itself does. */
  async #askWhy(): Promise<void> {
    const status = await ask(api.GET("/api/v1/devices/{device_id}", { params: { path: { device_id: this.device } } })).then(
      () => 200,
      (error) => (error instanceof Problem ? error.status : 0),
    );
    if (!this.#isOver && (status === 404 || status === 403)) this.#facts.refused = String(status);
  }
  #later(): void {
    window.clearTimeout(this.#timer);
    if (this.#isOver || this.#facts.isResting || this.#facts.refused !== null || (this.#facts.ended && FATAL.has(this.#facts.ended))) return;
    this.#timer = window.setTimeout(() => { if (!this.#isOver) this.#connect(); }, retryAfterMs(this.#tries++, Math.random()));
  }
  #drop(): void {
    window.clearTimeout(this.#timer);
    this.#peer?.close();
    this.#peer = null;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
  #turn(heardAt: number | null): void {
    this.#facts.heardAt = heardAt;
    this.#facts.turnedAt = Date.now();
  }

  #hear(said: Message): void {
    switch (said.type) {
      case "hello":
        this.#tries = 0;
        this.#facts.ended = null;
        this.stream = said.stream;
        break;
      case "state":
        this.#facts.hub = { state: said.state, since: Date.parse(said.since) - site.offset, why: said.why, layer: said.layer };
        break;
      case "init":
        this.#show("video", null);
        this.size = { width: said.width, height: said.height };
        this.#pace.forget();
        this.#feedOf().begin(said.mime);
        this.#next = "init";
        break;
      case "pictures":
        this.#show("pictures", said.why);
        break;
      case "picture":
        this.#next = "picture";
        this.size = { width: said.width, height: said.height };
        break;
      case "viewers":
        this.viewers = said.names;
        break;
      case "ended":
        this.#facts.ended = said.why;
        break;
      case "beat":
      case "behind":
        break;
    }
  }
  #take(data: ArrayBuffer): void {
    if (this.#next === "picture") this.#showPicture(data);
    else {
      if (this.#next === null) this.#pace.heard(Date.now());
      this.#feed?.append(data);
    }
    this.#next = null;
  }
  #showPicture(data: ArrayBuffer): void {
    const old = this.picture;
    this.picture = URL.createObjectURL(new Blob([data], { type: "image/jpeg" }));
    if (old) setTimeout(() => URL.revokeObjectURL(old), 1000);
    this.#saw(Date.now());
  }
  #show(mode: "video" | "pictures", why: PicturesWhy | null): void {
    this.#facts.mode = mode;
    this.#facts.picturesWhy = why;
    if (this.mode !== mode) this.#facts.shownAt = null;
    this.mode = mode;
    if (mode === "pictures") this.#endFeed();
  }
  #feedOf(): Feed {
    // The last picture stands, dimmed, until another connection brings one: its timeline may lie elsewhere.
    if (this.#isNew) this.#endFeed();
    if (this.video.srcObject) this.video.srcObject = null; // even setting it to what it is ends a film
    this.#isNew = false;
    this.#feed ??= new Feed(this.video, () => this.#broke());
    return this.#feed;
  }
  #endFeed(): void {
    this.#feed?.close();
    this.#feed = null;
  }
  #broke(): void {
    this.#endFeed();
    const now = Date.now();
    this.#breaks = now - this.#brokeAt < BREAKS_COUNT_MS ? this.#breaks + 1 : 1;
    this.#brokeAt = now;
    if (this.#breaks > MOST_BREAKS && this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ pictures: true }));
    else this.#begin();
  }

  #saw(at: number): void {
    this.#facts.shownAt = at;
    if (this.shownAt === null || at - this.shownAt > 900) this.shownAt = at;
  }
  #look(): void {
    this.#feed?.step();
    const facts = this.#facts;
    facts.now = Date.now();
    if (this.#peer) this.#lookAtPeer(this.#peer);
    facts.patienceMs = this.#pace.patienceMs;
    if (facts.heardAt !== null && facts.now - facts.heardAt > 2 * 3000) {
      // It hangs: a line that is cut closes no socket.
      this.#drop();
      this.#turn(null);
      this.#later();
    }
    const now = judge(facts);
    const was = this.verdict;
    if (now.word === "live" && was.word === "live") return;
    if (now.word !== was.word || now.since !== was.since || now.why !== was.why || now.layer !== was.layer) this.verdict = now;
  }
  #lookAtPeer(peer: Peer): void {
    const { now, shownAt } = this.#facts;
    const isNew = shownAt === null || shownAt < this.#peerAt;
    const patience = isNew ? PEER_STARTS_MS : this.#facts.patienceMs;
    if (now - Math.max(this.#peerAt, shownAt ?? 0) > patience) this.#leavePeer();
    else if (peer.isConnected || isNew) this.#facts.heardAt = now;
  }
  readonly #turned = (): void => {
    window.clearTimeout(this.#restTimer);
    if (document.hidden) this.#restTimer = window.setTimeout(() => this.#rest(), REST_AFTER_MS);
    else if (this.#facts.isResting) this.#begin();
  };
  #rest(): void {
    this.#facts.isResting = true;
    this.#drop();
    this.#turn(null);
  }
}
