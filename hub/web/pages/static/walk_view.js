// What is said beside a picture of a walk: the place, the machine's remarks, what can be done.

import { clock, duration, exactly, words } from "./words.js";

const DOUBTFUL = 30; // from here on the machine leaves a stop to a person
const VERY_DOUBTFUL = 60;
const OLD_MS = 600_000; // a picture of then says little of now: another one is a key away
const BADGES = { much: "critical", some: "warning", none: "online" };

// What a stop came to, in words.
export function said(stop) {
  const result = { normal: words.normal, abnormal: words.abnormal, not_judged: words.notJudged }[stop.result];
  return [result, words.findings[stop.kind] ?? stop.kind, stop.note].filter(Boolean).join(" · ");
}

// `deeds`: what each button does, by the name of its word.
export function makeView({ $, el, badge }, deeds) {
  function describe(walk, stop, stands) {
    const { round } = walk;
    $("walk-what").textContent = stands.isSecond ? words.secondLook : `${round.plan_name} · ${round.area_name}`;
    $("walk-progress").textContent = stands.isSecond ? words.secondLooks(walk.queue.length) : progress(walk);
    $("walk-round").replaceChildren(...roundButtons(stands));
    const isShown = Boolean(stop) && !stands.isOver && stands.isMine;
    $("walk-aside").hidden = !isShown;
    $("walk-picture").classList.toggle("dimmed", !stands.isMine || stands.isOver || stands.isPaused);
    if (!isShown) return;
    $("walk-camera").textContent = stop.device_name;
    $("walk-facts").replaceChildren(...facts(stop, round));
    $("walk-doubt").replaceChildren(doubt(stop), stands.isSecond ? el("p", {}, words.wasJudged(stop.judged_by, said(stop))) : "");
    const remarks = stop.remarks.length ? stop.remarks : [stop.reason || words.nothingNoticed];
    $("walk-remarks").replaceChildren(...remarks.map((text) => el("li", {}, text)));
    const checklist = stands.isSecond ? stop.checklist : round.checklist;
    $("walk-checklist").replaceChildren(...checklist.map(stands.isSecond ? answered(stop) : item(walk)));
    $("walk-checklist-title").hidden = checklist.length === 0;
    $("walk-do").replaceChildren(...(stands.isAsking || stands.isPaused ? [] : stopButtons(stop, walk.isBlind, stands)));
  }

  const progress = ({ round, coming }) =>
    [words.waiting(Math.max(0, round.stops_open - coming)), coming && words.coming(coming)].filter(Boolean).join(" · ");

  function facts(stop, round) {
    const place = [stop.plan_name, stop.area_name, round && words.stopOf(stop.position, round.stops_planned), stop.due_at && words.dueAt(clock(stop.due_at))];
    const text = place.filter(Boolean).join(" · ");
    if (!stop.at) return [text];
    const isOld = round !== null && Date.now() - new Date(stop.at) > OLD_MS;
    return [`${text} · `, el("span", { class: isOld ? "old" : "" }, words.pictureAt(exactly(stop.at), duration(stop.at)))];
  }

  function doubt(stop) {
    const much = stop.doubt >= VERY_DOUBTFUL ? "much" : stop.doubt >= DOUBTFUL ? "some" : "none";
    return badge(BADGES[much], `${words.doubts[much]} ${Math.round(stop.doubt)}`);
  }

  const item = (walk) => (text, index) => {
    const box = el("input", { type: "checkbox" });
    box.checked = walk.checked[index];
    box.addEventListener("change", () => { walk.checked[index] = box.checked; });
    return el("li", {}, el("label", {}, box, index < 9 ? el("kbd", {}, String(index + 1)) : "", ` ${text}`));
  };

  const answered = (stop) => (text, index) => el("li", {}, `${stop.checked[index] ? "✓" : "✗"} ${text}`);

  function keyed(key, word, kind = "quiet", deed = word) {
    const made = el("button", { type: "button", class: kind }, el("kbd", {}, key), ` ${words[word]}`);
    made.addEventListener("click", () => { deeds[deed](); });
    return made;
  }

  function stopButtons(stop, isBlind, { isSecond }) {
    const isSeen = stop.has_picture && !isBlind;
    const judging = isSecond ? [!isBlind && keyed("Y", "agree", "main"), !isBlind && keyed("D", "disagree")]
      : [isSeen && keyed("N", "normal", "main"), !isBlind && keyed("A", "abnormal"), keyed("␣", "later"), keyed("S", "skip"), keyed("R", "lookAgain")];
    return [...judging, isSeen && keyed("Z", "zoom"), isSeen && keyed("G", "usual"), stop.clip_sha256 && keyed("C", "film")].filter(Boolean);
  }

  function roundButtons({ isSecond, isOver, isMine, isPaused }) {
    const ofRound = isSecond || isOver || !isMine ? []
      : [isPaused ? keyed("P", "resume", "main", "pauseOrResume") : keyed("P", "pause", "quiet", "pauseOrResume"), keyed("H", "handOver")];
    return [...ofRound, keyed("Esc", "leave")];
  }

  return { describe };
}
