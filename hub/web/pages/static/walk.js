// One stop after another, by keys: the picture large, what the machine says beside it.
// A judgement names the picture that was on the screen; nothing is judged unseen.

import { makeAlbum } from "./album.js";
import { call } from "./api.js";
import { makeForm } from "./walk_form.js";
import { makeView, said } from "./walk_view.js";
import { words } from "./words.js";

const QUEUED = 12;
const FETCHED_AHEAD = 3;
const SHORTEST_LOOK_MS = 250; // a key that was meant for the stop before must not judge this one
const AGAIN_MS = 300;
const ASKED_MS = 5_000;

// `page`: what the start page makes things with, and kept(round), reload().
export function makeWalk(page) {
  const { $, el } = page;
  let walk = null;
  const view = makeView(page, {
    agree, normal, later, lookAgain, zoom, usual, film, pauseOrResume, leave, abnormal: () => openForm("abnormal"),
    skip: () => openForm("skip"), disagree: () => openForm("disagree"), handOver: () => openForm("handOver"),
  });
  const form = makeForm({ ...page, path: () => pathOf(current()), round: () => walk.round, item: () => current(), checked: () => walk.checked, done: finish, roundDone, say, refuse });

  const isSecond = () => walk.kind === "second";
  const current = () => walk?.queue[0];
  const pathOf = (stop) => `/patrol-rounds/${stop.round_id ?? walk.round.id}/stops/${stop.position}`;
  const keyOf = (stop) => `${pathOf(stop)}/${stop.picture_sha256}/${stop.at}`;
  const album = makeAlbum({ el, pathOf, keyOf });
  const fetchAhead = () => album.hold(walk.queue.slice(0, 1 + FETCHED_AHEAD));
  const isMine = () => isSecond() || walk.round.walker_id === page.me().id;
  const isOver = () => !isSecond() && !["running", "paused"].includes(walk.round.state);
  const isPaused = () => !isSecond() && walk.round.state === "paused";

  // coming and going --------------------------------------------------------------------------

  async function begin(round, takeOver) {
    const taken = await call("POST", `/patrol-rounds/${round.id}/take`, { take_over: takeOver });
    page.kept(taken);
    await open({ kind: "judge", round: taken });
  }

  const beginSecond = () => open({ kind: "second", round: null });

  async function open(what) {
    walk = { ...what, queue: [], coming: 0, done: new Set(), later: new Set(), checked: [], isBusy: false, isSeen: false, isUsual: false, isBlind: false, isKnown: false, turn: 0, words, text: "" };
    form.close();
    if (!$("walk").open) $("walk").showModal();
    say("");
    present();
    await refill();
  }

  function leave() {
    if ($("walk").open) $("walk").close();
  }

  $("walk").addEventListener("close", () => {
    walk = null;
    album.hold([]);
    $("walk-picture").replaceChildren();
    if (page.me()) page.reload();
  });
  $("walk").addEventListener("cancel", (event) => {
    if (!form.isOpen()) return;
    event.preventDefault();
    form.close();
    describe();
  });

  // the queue ---------------------------------------------------------------------------------

  async function refill(mayDrop = false) {
    const mine = walk;
    const found = await call("GET", isSecond() ? `/patrol-second-looks?limit=${QUEUED}` : `/patrol-rounds/${walk.round.id}/queue?limit=${QUEUED}`);
    if (walk !== mine) return;
    const items = found.items.map((one) => (isSecond() ? { ...one.stop, round_id: one.round_id, plan_name: one.plan_name, checklist: one.checklist } : one));
    const fresh = items.filter((one) => !mine.done.has(keyOf(one)));
    const before = current();
    const same = before && fresh.find((one) => one.position === before.position && pathOf(one) === pathOf(before));
    // What is looked at stays where it is, unless it went away or shows another picture now.
    const first = same ?? (mayDrop ? null : before);
    const others = fresh.filter((one) => one !== first && pathOf(one) !== (first && pathOf(first)));
    const isLater = (one) => mine.later.has(pathOf(one));
    mine.queue = [...(first ? [first] : []), ...others.filter((one) => !isLater(one)), ...others.filter(isLater)];
    mine.coming = found.coming ?? 0;
    mine.isKnown = true;
    if (!before || !current() || keyOf(before) !== keyOf(current())) present();
    else { describe(); fetchAhead(); }
  }

  // By name: what the queue holds of it may have been read anew meanwhile.
  const drop = (stop) => { walk.queue = walk.queue.filter((one) => keyOf(one) !== keyOf(stop)); };

  let timer = null;
  function refillSoon() {
    timer ??= setTimeout(() => {
      timer = null;
      if (walk) refill().catch((problem) => say(words.failed(problem.message)));
    }, AGAIN_MS);
  }

  function change(rounds) {
    const news = walk && !isSecond() && rounds.find((round) => round.id === walk.round.id);
    if (!news) return;
    walk.round = news;
    if (isOver() || !isMine()) form.close();
    describe();
    if (!isOver() && isMine()) refillSoon();
  }

  // showing -----------------------------------------------------------------------------------

  function present() {
    const stop = current();
    const turn = ++walk.turn;
    Object.assign(walk, { isUsual: false, isSeen: false, isBlind: false });
    $("walk-picture").removeAttribute("aria-busy");
    delete $("walk-picture").dataset.seen;
    walk.checked = walk.round?.checklist.map(() => false) ?? [];
    $("walk-picture").classList.remove("zoomed");
    form.close();
    describe();
    fetchAhead();
    if (!stop) return $("walk-picture").replaceChildren(el("p", { class: "empty" }, restText()));
    if (!stop.has_picture) return reveal(el("p", { class: "empty" }, stop.reason ? words.noPictureOf(stop.reason) : words.noPicture));
    $("walk-picture").setAttribute("aria-busy", "true");
    album.get(stop).then(
      (image) => { if (walk?.turn === turn) reveal(image); },
      (problem) => {
        if (walk?.turn !== turn) return;
        walk.isBlind = true;
        reveal(el("p", { class: "empty" }, words.noPictureOf(problem.message)));
        describe();
        say(words.blind);
      },
    );
  }

  // What the camera shows when all is well, in place of tonight's: nothing is judged meanwhile.
  async function usual() {
    const stop = current();
    if (!stop?.device_id || walk.isBusy) return;
    if (walk.isUsual) return present();
    const { turn } = walk;
    try {
      const image = await album.fetchImage(`/devices/${stop.device_id}/picture/good.jpg`, `${stop.device_name} ${words.usual}`);
      if (walk?.turn !== turn) return album.release(image);
      Object.assign(walk, { isUsual: true, isSeen: false, turn: turn + 1 });
      delete $("walk-picture").dataset.seen;
      $("walk-picture").replaceChildren(image, el("figcaption", {}, words.usual));
    } catch (problem) {
      if (walk?.turn === turn) say(problem.status === 404 ? words.noUsual : words.failed(problem.message));
    }
  }

  function reveal(node) {
    $("walk-picture").removeAttribute("aria-busy");
    $("walk-picture").replaceChildren(node);
    const { turn } = walk;
    setTimeout(() => {
      if (walk?.turn !== turn) return;
      walk.isSeen = true;
      $("walk-picture").dataset.seen = "yes";
    }, SHORTEST_LOOK_MS);
  }

  function describe() {
    walk.words = words;
    const stands = { isSecond: isSecond(), isMine: isMine(), isOver: isOver(), isPaused: isPaused(), isAsking: form.isOpen() };
    if (stands.isOver) say(words.isOver);
    else if (!stands.isMine) say(words.isTaken(walk.round.walker_name));
    else if (stands.isPaused) say(words.isPaused, true);
    else if ([words.isOver, words.isPaused].includes(walk.text)) say("");
    view.describe(walk, current(), stands);
  }

  function restText() {
    if (isOver()) return words.isOver;
    if (!walk.isKnown) return words.loading;
    if (isSecond()) return words.noSecondLooks;
    return walk.coming ? words.waitForMachine : words.allJudged;
  }

  function say(text, isWell = false) {
    if (walk) walk.text = text;
    $("walk-note").textContent = text;
    $("walk-note").classList.toggle("well", isWell);
  }

  // deeds -------------------------------------------------------------------------------------

  // Whether a deed about the stop on the screen may begin; what hinders it is said.
  function isReady() {
    if (!walk || walk.isBusy || !current() || isOver() || !isMine() || isPaused()) return false;
    if (walk.isUsual) { present(); return false; }
    if (!walk.isSeen) say(words.notSeenYet);
    return walk.isSeen;
  }

  async function doing(work) {
    const mine = walk;
    mine.isBusy = true;
    try {
      await work();
    } catch (problem) {
      if (walk === mine) await refuse(problem);
    } finally {
      mine.isBusy = false;
    }
  }

  // Somebody was faster, or the picture is another one: show how it stands now.
  async function refuse(problem) {
    say(words.failed(problem.message));
    if (problem.status === 409 || problem.status === 404) await refill(true).catch(() => {});
    if (walk) say(words.failed(problem.message));
  }

  function finish(before, after) {
    walk.done.add(keyOf(before));
    drop(before);
    form.close();
    say([words.judgedAs(before.device_name, isSecond() ? words[after.second_look === "agreed" ? "agree" : "disagree"] : said(after)),
      after.dispatch_id && !isSecond() && words.sent(after.dispatch_id)].filter(Boolean).join("，"), true);
    present();
    refillSoon();
  }

  function roundDone(after) {
    page.kept(after);
    walk.round = after;
    form.close();
    describe();
    if (!isOver() && isMine()) refillSoon();
  }

  function normal() {
    if (!isReady() || !current().has_picture || walk.isBlind) return;
    if (!walk.checked.every(Boolean)) return say(words.tickFirst);
    const stop = current();
    const body = { result: "normal", checked: walk.checked, picture_sha256: stop.picture_sha256 };
    doing(async () => finish(stop, await call("POST", `${pathOf(stop)}/judge`, body)));
  }

  function agree() {
    if (!isReady() || walk.isBlind) return;
    const stop = current();
    doing(async () => finish(stop, await call("POST", `${pathOf(stop)}/second-look`, { agrees: true, picture_sha256: stop.picture_sha256 })));
  }

  function later() {
    if (!walk || walk.isBusy || walk.queue.length < 2 || isPaused()) return;
    const stop = walk.queue.shift();
    walk.later.add(pathOf(stop));
    walk.queue.push(stop);
    say("");
    present();
    refillSoon();
  }

  function lookAgain() {
    if (!isReady()) return;
    const stop = current();
    doing(async () => {
      await call("POST", `${pathOf(stop)}/look-again`);
      walk.done.add(keyOf(stop));
      drop(stop);
      present();
      say(words.retaking, true);
      refillSoon();
    });
  }

  function openForm(kind) {
    const isOfRound = kind === "handOver" || kind === "pause";
    if (!isOfRound && !isReady()) return;
    if (walk.isBlind && kind === "abnormal") return;
    if (walk.isBusy) return;
    say("");
    form.open(kind).then(describe, (problem) => say(words.failed(problem.message)));
  }

  function pauseOrResume() {
    if (!isPaused()) return openForm("pause");
    doing(async () => roundDone(await call("POST", `/patrol-rounds/${walk.round.id}/resume`)));
  }

  function zoom() {
    $("walk-picture").classList.toggle("zoomed");
  }

  async function film() {
    const { turn } = walk;
    await doing(async () => {
      const address = URL.createObjectURL(await call("GET", `${pathOf(current())}/clip`));
      const shown = el("video", { controls: "", autoplay: "", src: address });
      shown.muted = true;
      shown.addEventListener("ended", () => { URL.revokeObjectURL(address); if (walk?.turn === turn) present(); });
      if (walk?.turn === turn) $("walk-picture").replaceChildren(shown);
    });
  }

  function tick(digit) {
    if (digit === 0) walk.checked = walk.checked.map(() => true);
    else if (digit <= walk.checked.length) walk.checked[digit - 1] = !walk.checked[digit - 1];
    say("");
    describe();
  }

  const KEYS = { a: () => openForm("abnormal"), s: () => openForm("skip"), n: normal, r: lookAgain, " ": later, h: () => openForm("handOver"), p: pauseOrResume };
  const SECOND_KEYS = { y: agree, d: () => openForm("disagree") };

  // On the document: whatever had the focus may have been taken away with the stop before.
  document.addEventListener("keydown", (event) => {
    if (!walk || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (form.isOpen()) return form.key(event);
    if (event.key === " " && event.target.matches?.("input, video")) return;
    const key = event.key.toLowerCase();
    const work = { z: zoom, g: usual, c: () => current()?.clip_sha256 && film(), ...(isSecond() ? SECOND_KEYS : KEYS) }[key];
    const isDigit = /^[0-9]$/.test(key) && walk.checked.length > 0;
    if (!work && !isDigit) return;
    if (!isSecond() && (isOver() || !isMine())) return;
    event.preventDefault();
    if (work) work();
    else tick(Number(key));
  });
  $("walk-picture").addEventListener("click", zoom);

  // What comes is told by the live line. Should that or a job have got lost, nobody waits before an
  // empty screen: whoever takes his own round has the next pictures asked for again.
  setInterval(() => {
    if (!walk || isSecond() || current() || walk.isBusy || isOver() || !isMine()) return;
    doing(async () => { await call("POST", `/patrol-rounds/${walk.round.id}/take`, {}); await refill(); });
  }, ASKED_MS);

  function health(text) {
    $("walk-health").textContent = text;
    $("walk-health").hidden = !text;
  }

  function relabel() {
    if (walk && walk.words !== words) describe();
  }

  return { begin, beginSecond, change, leave, relabel, health };
}
