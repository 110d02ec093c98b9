// A talk with whoever stands before a camera: what it hears comes out here, what is said here comes out
// there. Ends by itself after a minute without a wish to go on.
import { decode, encode, RATE, type Codec } from "./g711";
import worklet from "./microphone.worklet.js?url";

export type TalkState = "off" | "opening" | "on" | "ended";
export type TalkEnd = "session" | "gone" | "busy" | "time" | "camera" | "lost" | "microphone" | "insecure";
interface Said { type: string; hears?: string; speaks?: string; until?: string; why?: string; detail?: string }
const BEHIND_S = 0.15; // kept ready, for sound comes unevenly
const MOST_BEHIND_S = 0.6;

export class Talk {
  state = $state<TalkState>("off");
  hears = $state<Codec | "">("");
  speaks = $state<Codec | "">("");
  /** Whether the microphone is open now. */
  isSpeaking = $state(false);
  until = $state("");
  end = $state<TalkEnd | null>(null);
  detail = $state("");
  #socket: WebSocket | null = null;
  #sound: AudioContext | null = null;
  #microphone: MediaStream | null = null;
  #playedTo = 0;

  constructor(readonly device: number) {}

  open(): void {
    this.close();
    this.state = "opening";
    this.end = null;
    this.detail = "";
    this.#sound = new AudioContext({ sampleRate: RATE });
    const address = new URL(`/api/v1/devices/${this.device}/talk`, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (typeof event.data === "string") this.#hear(JSON.parse(event.data) as Said);
      else this.#play(new Uint8Array(event.data));
    };
    socket.onclose = () => { if (this.#socket === socket) this.#finish(this.end ?? "lost"); };
    this.#socket = socket;
  }
  /** Open or shut the microphone: it is open only while somebody wants to be heard. */
  async speak(wants: boolean): Promise<void> {
    if (!wants) { this.#shut(); return; }
    if (this.state !== "on" || !this.speaks || this.isSpeaking) return;
    if (!("mediaDevices" in navigator)) { this.#finish("insecure"); return; } // browsers give it to https only
    this.isSpeaking = true;
    try {
      const found = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, channelCount: 1 } });
      const sound = this.#sound;
      if (!sound || !this.isSpeaking) { found.getTracks().forEach((track) => track.stop()); return; }
      this.#microphone = found;
      await sound.audioWorklet.addModule(worklet);
      const node = new AudioWorkletNode(sound, "microphone", { numberOfOutputs: 0 });
      node.port.onmessage = (event: MessageEvent<Float32Array>) => {
        if (this.isSpeaking && this.speaks && this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(encode(this.speaks, event.data));
      };
      sound.createMediaStreamSource(found).connect(node);
    } catch (error) {
      this.#finish("microphone");
      this.detail = error instanceof Error ? error.message : "";
    }
  }
  /** Talk on for another minute. */
  renew(): void {
    this.#socket?.send('{"renew":true}');
  }
  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#release();
    this.state = "off";
  }

  #hear(said: Said): void {
    if (said.type === "hello") {
      this.hears = (said.hears ?? "") as Codec | "";
      this.speaks = (said.speaks ?? "") as Codec | "";
      this.state = "on";
    } else if (said.type === "until") this.until = said.until ?? "";
    else if (said.type === "ended") {
      this.detail = said.detail ?? "";
      this.#finish((said.why ?? "lost") as TalkEnd);
    }
  }
  #play(data: Uint8Array): void {
    const sound = this.#sound;
    if (!sound || !this.hears) return;
    const samples = decode(this.hears, data);
    const buffer = sound.createBuffer(1, samples.length, RATE);
    buffer.copyToChannel(samples, 0);
    const source = sound.createBufferSource();
    source.buffer = buffer;
    source.connect(sound.destination);
    const now = sound.currentTime;
    if (this.#playedTo < now || this.#playedTo > now + MOST_BEHIND_S) this.#playedTo = now + BEHIND_S;
    source.start(this.#playedTo);
    this.#playedTo += buffer.duration;
  }
  #shut(): void {
    this.isSpeaking = false;
    this.#microphone?.getTracks().forEach((track) => track.stop());
    this.#microphone = null;
  }
  #finish(why: TalkEnd): void {
    this.end = why;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#release();
    this.state = "ended";
  }
  #release(): void {
    this.#shut();
    void this.#sound?.close().catch(() => undefined);
    this.#sound = null;
    this.#playedTo = 0;
  }
}
