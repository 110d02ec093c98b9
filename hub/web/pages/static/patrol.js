// Tonight's patrol rounds: how far they are, who walks them, and the way into a walk.

import { call } from "./api.js";
import { makeWalk } from "./walk.js";
import { clock, words } from "./words.js";

const SHOWN = 8;
const SURE_MS = 6_000;
const ORDER = { running: 0, paused: 0, due: 1 };
const BADGES = { missed: "critical", running: "info", paused: "warning" };

// `page` holds what the start page makes things with: $, el, badge, since, button, act, may, me, note.
export function makePatrol(page) {
  const { $, el, badge, button, may } = page;
  const held = { rounds: new Map(), second: "", sure: null };
  const reload = () => load().catch((problem) => page.note(words.failed(problem.message)));
  const walk = makeWalk({ ...page, kept: keep, reload });

  async function load() {
    const [latest, running, paused, second] = await Promise.all([
      call("GET", `/patrol-rounds?limit=${SHOWN}`),
      call("GET", "/patrol-rounds?status=running&limit=50"), // plans of other nights may be newer
      call("GET", "/patrol-rounds?status=paused&limit=50"),
      may("plan") ? call("GET", "/patrol-second-looks?limit=100") : { items: [], next: null },
    ]);
    held.rounds = new Map([latest, running, paused].flatMap((page) => page.items).map((round) => [round.id, round]));
    held.second = `${second.items.length || ""}${second.next ? "+" : ""}`;
    show();
  }

  function keep(round) {
    held.rounds.set(round.id, round);
    show();
  }

  function change(rounds) {
    rounds.forEach((round) => held.rounds.set(round.id, round));
    show();
    walk.change(rounds);
    if (rounds.some((round) => round.state === "finished")) reload();
  }

  function show() {
    const rank = (round) => ORDER[round.state] ?? 2;
    const sorted = [...held.rounds.values()].sort((a, b) => rank(a) - rank(b) || b.id - a.id);
    const rounds = sorted.slice(0, Math.max(SHOWN, sorted.filter(isOpen).length));
    $("rounds-empty").hidden = rounds.length > 0;
    $("rounds-second").hidden = !held.second;
    $("rounds-second").textContent = words.secondLooks(held.second);
    const focused = document.activeElement?.closest?.("#rounds li")?.dataset.id;
    $("rounds").replaceChildren(...rounds.map(line));
    if (focused) $("rounds").querySelector(`li[data-id="${focused}"] button`)?.focus();
    walk.relabel();
  }

  function line(round) {
    const kind = BADGES[round.state] ?? (round.state === "finished" ? (round.stops_abnormal || round.stops_not_seen ? "warning" : "online") : "unknown");
    const done = round.stops_planned - round.stops_open;
    return el("li", { class: round.state, "data-id": round.id },
      badge(kind, words.walks[round.state]),
      el("div", { class: "what" }, el("strong", {}, round.plan_name), " ", el("span", { class: "reason" }, round.reason),
        el("small", {}, [round.area_name, words.modes[round.mode], words.planned(clock(round.planned_at)),
          isOpen(round) && round.ends_by && words.endsBy(clock(round.ends_by))].filter(Boolean).join(" · "), walker(round))),
      el("div", { class: "when" }, el("progress", { max: Math.max(1, round.stops_planned), value: done }),
        el("small", {}, words.progress(round.stops_seen, round.stops_not_seen, round.stops_planned)),
        el("small", {}, words.judged(round.stops_open, round.stops_abnormal, round.stops_not_judged))),
      el("div", { class: "do" }, enter(round), round.has_report
        ? el("a", { class: "button", href: `/api/v1/patrol-rounds/${round.id}/report`, target: "_blank", rel: "noopener" }, words.report) : ""));
  }

  const isOpen = (round) => ["running", "paused"].includes(round.state);
  const isMine = (round) => round.walker_id !== null && round.walker_id === page.me().id;

  function walker(round) {
    if (!isOpen(round) || round.mode === "machine") return "";
    if (round.walker_id === null) return el("b", { class: "nobody" }, words.nobodyWalks);
    return el("b", {}, isMine(round) ? words.walkedByMe : words.walkedBy(round.walker_name));
  }

  // The way into a walk; from somebody else's hands only on a second, expressed wish.
  function enter(round) {
    if (!may("operate") || !isOpen(round) || round.mode === "machine") return "";
    if (round.walker_id === null || isMine(round)) {
      return button(isMine(round) ? "walkOn" : "walk", () => walk.begin(round, false), "main");
    }
    const isSure = held.sure === round.id;
    const made = el("button", { type: "button", class: isSure ? "main" : "quiet" }, isSure ? words.takeOverSure(round.walker_name) : words.takeOver);
    made.addEventListener("click", () => {
      if (isSure) return page.act(made, () => { held.sure = null; return walk.begin(round, true); });
      held.sure = round.id;
      setTimeout(() => { held.sure = null; show(); }, SURE_MS);
      show();
    });
    return made;
  }

  $("rounds-second").addEventListener("click", () => page.act($("rounds-second"), walk.beginSecond));
  return { load, show, change, health: walk.health, forget: () => { held.rounds.clear(); held.second = ""; walk.leave(); } };
}
