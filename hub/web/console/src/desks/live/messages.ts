// What the hub says over the socket of a live picture (its own description: hub/web/routes/live_video.py).

export type StreamRole = "main" | "sub";
export type HubState = "connecting" | "live" | "frozen" | "offline";
export type PicturesWhy = "codec" | "masked" | "no_stream" | "asked";
export type EndedWhy = "session" | "gone" | "stopping" | "too_many" | "silent" | "store";

export type Message =
  | { type: "hello"; stream: StreamRole; wanted: StreamRole }
  | { type: "state"; state: HubState; since: string; why: string; layer: string | null }
  | { type: "init"; mime: string; codec: string; width: number; height: number }
  | { type: "behind"; skipped: number }
  | { type: "pictures"; why: PicturesWhy }
  | { type: "picture"; at: string; width: number; height: number }
  | { type: "beat"; at: string }
  | { type: "viewers"; names: string[] }
  | { type: "ended"; why: EndedWhy };

/** Read one text of the hub; null for what this page does not know, which is passed over. */
export function parseMessage(text: string): Message | null {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof said !== "object" || said === null || !("type" in said)) return null;
  return KNOWN.has(String(said.type)) ? (said as Message) : null;
}
const KNOWN = new Set<string>(["hello", "state", "init", "behind", "pictures", "picture", "beat", "viewers", "ended"] satisfies Message["type"][]);

// One of each kind that cameras send; a browser that plays it plays its lesser levels too.
const CANDIDATES = [
  'video/mp4; codecs="avc1.42E01E"', 'video/mp4; codecs="avc1.4D401F"', 'video/mp4; codecs="avc1.4D4028"',
  'video/mp4; codecs="avc1.640028"', 'video/mp4; codecs="avc1.640033"',
  'video/mp4; codecs="hvc1.1.6.L93.B0"', 'video/mp4; codecs="hvc1.1.6.L123.B0"', 'video/mp4; codecs="hvc1.1.6.L153.B0"',
];
let playable: string[] | null = null;
/** What this browser can play. */
export function playableTypes(): string[] {
  playable ??= typeof MediaSource === "undefined" ? [] : CANDIDATES.filter((type) => MediaSource.isTypeSupported(type));
  return playable;
}
