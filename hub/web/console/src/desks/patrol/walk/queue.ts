// What waits, in the order in which it is shown. What is on the screen stays there until it is judged,
// gone, or shows another picture; what was put off comes after everything else.
import type { Stop } from "../rounds";

export type Item = Stop & { round_id: number; plan_name: string; planned_at: string; checklist: readonly string[] };

export const placeOf = (item: Item): string => `${item.round_id}/${item.position}`;
/** Names a stop as it was looked at: another picture makes it another one. */
export const lookOf = (item: Item): string => `${placeOf(item)}/${item.picture_sha256}/${item.at}`;

export interface Marks {
  /** Judged on this screen: lists that were read before may still hold them. */
  done: ReadonlySet<string>;
  /** Put off. */
  later: ReadonlySet<string>;
}

/** `mayDrop`: what is on the screen may go away with the list that was read. */
export function refill(shown: Item | undefined, found: readonly Item[], marks: Marks, mayDrop: boolean): Item[] {
  const fresh = found.filter((one) => !marks.done.has(lookOf(one)));
  const same = shown && fresh.find((one) => placeOf(one) === placeOf(shown));
  const first = same ?? (mayDrop ? undefined : shown);
  const others = fresh.filter((one) => !first || placeOf(one) !== placeOf(first));
  const isLater = (one: Item): boolean => marks.later.has(placeOf(one));
  return [...(first ? [first] : []), ...others.filter((one) => !isLater(one)), ...others.filter(isLater)];
}

/** Which of the checklist hold after a digit was pressed: 1 to 9 turns one item, 0 says that all hold. */
export function tick(checked: readonly boolean[], digit: number): boolean[] {
  if (digit === 0) return checked.map(() => true);
  return checked.map((one, at) => (at === digit - 1 ? !one : one));
}

const KIND_KEYS = "1234567890qwertyuiop";
export const keyOfKind = (at: number): string => KIND_KEYS[at] ?? "";
export const kindOfKey = (kinds: readonly string[], key: string): string | undefined => (key.length === 1 ? kinds[KIND_KEYS.indexOf(key.toLowerCase())] : undefined);

// These are the maintenance team's: whoever finds them seldom sends somebody out at night.
const NO_TASK = new Set(["camera_down", "picture_bad"]);
export const asksForTask = (kind: string): boolean => kind !== "" && !NO_TASK.has(kind);
