// Feeds one video element with fragments of MP4 as they come, and keeps it near the end of them.
import { planSteps, spansOf } from "./buffer";

const MOST_WAITING = 8 << 20; // bytes that a browser which takes nothing may leave waiting
const FORGET_IN_NEED_S = 3;
const JUMP_EVERY_MS = 4000;

export class Feed {
  #source: MediaSource | null = null;
  #buffer: SourceBuffer | null = null;
  #address = "";
  #mime = "";
  #waiting: (Uint8Array<ArrayBuffer> | { mime: string })[] = [];
  #size = 0;
  #isOver = false;
  #jumpedAt = -JUMP_EVERY_MS;

  constructor(private readonly video: HTMLVideoElement, private readonly broken: (why: string) => void) {
    video.addEventListener("error", this.#failed);
  }
  /** What comes next is an initialisation segment of this type. */
  begin(mime: string): void {
    if (!this.#source) this.#open(mime);
    else if (mime !== this.#mime) this.#waiting.push({ mime });
    this.#mime = mime;
    this.#drain();
  }
  append(data: ArrayBuffer): void {
    if (!this.#source || this.#isOver) return;
    this.#waiting.push(new Uint8Array(data));
    this.#size += data.byteLength;
    if (this.#size > MOST_WAITING) this.#fail("the browser takes no more pictures");
    else this.#drain();
  }
  /** Keep near the end; call it a few times a second. */
  step(): void {
    const { video } = this;
    const buffer = this.#buffer;
    if (!buffer || this.#isOver || this.#source?.readyState !== "open") return;
    const steps = planSteps(video.currentTime, spansOf(video.buffered));
    // A jump has the browser decode a whole group of pictures: one that is too slow anyway must not jump all the time.
    if (steps.seek !== null && (steps.isLost || performance.now() - this.#jumpedAt > JUMP_EVERY_MS)) {
      video.currentTime = steps.seek;
      this.#jumpedAt = performance.now();
    }
    if (video.playbackRate !== steps.rate) video.playbackRate = steps.rate;
    if (steps.forget !== null && !buffer.updating) this.#forget(buffer, steps.forget);
    if (video.paused) void video.play().catch(() => undefined);
  }
  /** How far the picture is behind the newest one that is here, in s. */
  get lag(): number {
    const { buffered, currentTime } = this.video;
    return buffered.length ? buffered.end(buffered.length - 1) - currentTime : 0;
  }
  close(): void {
    this.#isOver = true;
    this.video.removeEventListener("error", this.#failed);
    this.video.removeAttribute("src");
    this.video.load();
    this.#waiting = [];
    if (this.#address) URL.revokeObjectURL(this.#address);
  }

  #open(mime: string): void {
    const source = new MediaSource();
    this.#source = source;
    this.#address = URL.createObjectURL(source);
    source.addEventListener("sourceopen", () => {
      if (this.#isOver) return;
      try {
        const buffer = source.addSourceBuffer(mime);
        buffer.addEventListener("updateend", () => this.#drain());
        buffer.addEventListener("error", () => this.#fail("the pictures cannot be decoded"));
        this.#buffer = buffer;
        source.duration = Infinity;
        this.#drain();
      } catch (error) {
        this.#fail(String(error));
      }
    }, { once: true });
    this.video.src = this.#address;
  }
  #drain(): void {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating || this.#isOver) return;
    const next = this.#waiting[0];
    if (next === undefined) return;
    try {
      if ("mime" in next) {
        buffer.changeType(next.mime);
        this.#waiting.shift();
        this.#drain();
        return;
      }
      buffer.appendBuffer(this.#joined());
    } catch (error) {
      if (error instanceof DOMException && error.name === "QuotaExceededError") this.#forget(buffer, this.video.currentTime - FORGET_IN_NEED_S);
      else this.#fail(String(error));
    }
  }
  /** All that waits up to the next change of type, as one piece: appending has a cost of its own. */
  #joined(): Uint8Array<ArrayBuffer> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let next = this.#waiting[0]; next instanceof Uint8Array; next = this.#waiting[0]) {
      parts.push(next);
      this.#waiting.shift();
    }
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    this.#size -= size;
    const only = parts[0];
    if (parts.length === 1 && only) return only;
    const whole = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
  #forget(buffer: SourceBuffer, before: number): void {
    try {
      if (before > 0) buffer.remove(0, before);
    } catch (error) {
      this.#fail(String(error));
    }
  }
  readonly #failed = (): void => this.#fail(this.video.error?.message || "the pictures cannot be played");
  #fail(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.broken(why);
  }
}
