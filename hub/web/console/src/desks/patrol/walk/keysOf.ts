// The keys of a walk. A key held down does its work once: repeats are not heard.
import type { Key } from "$/shell/keys.svelte";
import { words } from "./words";
import type { Walk } from "./Walk.svelte";

export function keysOf(walk: Walk, page: { leave: () => void; pauseOrResume: () => void }): Key[] {
  const once = (act: () => void) => (event: KeyboardEvent): void => { if (!event.repeat) act(); };
  if (walk.form) return [];
  const always: Key[] = [{ key: "Escape", says: words.leave, act: once(() => (walk.film ? walk.endFilm() : page.leave())) }];
  if (!walk.isMine || walk.isOver) return always;
  const ofRound: Key[] = walk.isSecond ? [] : [
    { key: "p", says: walk.isPaused ? words.resume : words.pause, act: once(page.pauseOrResume) },
    { key: "h", says: words.handOver, act: once(() => walk.open("handOver")) },
  ];
  if (walk.isPaused || !walk.current) return [...always, ...ofRound];
  const judging: Key[] = walk.isSecond ? [
    { key: "y", says: words.agree, act: once(() => void walk.second(true, "")) },
    { key: "d", says: words.disagree, act: once(() => walk.open("disagree")) },
  ] : [
    { key: "n", says: words.normal, act: once(() => void walk.normal()) },
    { key: "a", says: words.abnormal, act: once(() => walk.open("abnormal")) },
    { key: "t", says: words.task, act: once(() => walk.open("abnormal", true)) },
    { key: "s", says: words.skip, act: once(() => walk.open("skip")) },
    { key: "r", says: words.lookAgain, act: once(() => void walk.lookAgain()) },
    ...walk.checked.slice(0, 9).map((_, at) => ({ key: String(at + 1), says: `${words.checklist} ${at + 1}`, act: once(() => walk.tick(at + 1)) })),
    ...(walk.checked.length ? [{ key: "0", says: words.allHold, act: once(() => walk.tick(0)) }] : []),
    // On a button or a box the space bar is theirs.
    ...(isOnControl() ? [] : [{ key: " ", says: words.later, act: once(() => walk.later()) }]),
  ];
  const views: Key[] = [
    { key: "z", says: words.zoom, act: once(() => { walk.isZoomed = !walk.isZoomed; }) },
    { key: "g", says: words.usual, act: once(() => void walk.showUsual()) },
    { key: "v", says: words.live, act: once(() => walk.showLive()) },
    { key: "c", says: words.film, act: once(() => void walk.showFilm()) },
  ];
  return [...always, ...judging, ...ofRound, ...views];
}
const isOnControl = (): boolean => document.activeElement?.matches("button, a, input, select, video, summary") ?? false;
