// What a tile says of itself. One rule: a picture is called live only while new pictures are seen to be
// shown here; whatever the hub says, a picture that stands still is frozen.
import type { EndedWhy, HubState, PicturesWhy } from "./messages";

export type Word = "live" | "pictures" | "connecting" | "frozen" | "offline" | "lost" | "resting" | "ended" | "refused";
export interface Verdict {
  word: Word;
  /** Since when, in ms of this machine's clock; null when that is not known. */
  since: number | null;
  /** In the hub's or the camera's words; may be empty. */
  why: string;
  layer: string | null;
}

export interface Facts {
  now: number;
  /** When a picture was last seen on the screen, here. */
  shownAt: number | null;
  /** When the hub was last heard on this socket; null while it is closed. */
  heardAt: number | null;
  /** Since when this is so: the socket was opened, or closed. */
  turnedAt: number;
  hub: { state: HubState; since: number; why: string; layer: string | null } | null;
  mode: "video" | "pictures";
  picturesWhy: PicturesWhy | null;
  patienceMs: number;
  isResting: boolean;
  ended: EndedWhy | null;
  refused: string | null;
}

export const HUB_PATIENCE_MS = 3000;
const PICTURE_PATIENCE_MS = 5000;

export function judge(facts: Facts): Verdict {
  const { now, shownAt, hub } = facts;
  if (facts.refused !== null) return { word: "refused", since: facts.turnedAt, why: facts.refused, layer: null };
  if (facts.isResting) return { word: "resting", since: shownAt ?? facts.turnedAt, why: "", layer: null };
  if (facts.ended === "gone" || facts.ended === "too_many") return { word: "ended", since: facts.turnedAt, why: facts.ended, layer: null };
  const isHeard = facts.heardAt !== null && now - facts.heardAt < HUB_PATIENCE_MS;
  if (!isHeard) {
    const isNew = now - facts.turnedAt < HUB_PATIENCE_MS && shownAt === null;
    return { word: isNew ? "connecting" : "lost", since: shownAt ?? facts.turnedAt, why: "", layer: null };
  }
  if (hub?.state === "offline") return { word: "offline", since: hub.since, why: hub.why, layer: hub.layer };
  const patience = facts.mode === "pictures" ? PICTURE_PATIENCE_MS : facts.patienceMs;
  const isFresh = shownAt !== null && now - shownAt < patience;
  if (isFresh && hub?.state !== "frozen") return { word: facts.mode === "pictures" ? "pictures" : "live", since: null, why: facts.picturesWhy ?? "", layer: null };
  if (shownAt === null) return { word: "connecting", since: facts.turnedAt, why: hub?.why ?? "", layer: hub?.layer ?? null };
  return { word: "frozen", since: shownAt, why: hub?.state === "frozen" ? hub.why : "", layer: null };
}

/** Whether what is on the screen is what the camera sees. */
export const isTrue = (word: Word): boolean => word === "live" || word === "pictures";
