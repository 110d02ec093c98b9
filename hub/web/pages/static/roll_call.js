// The roll call: a room's own question with its code, and which rooms keep silent.

import { call } from "./api.js";
import { clock, until, words } from "./words.js";

const SILENT_FOR_MS = 12 * 3_600_000; // a silent room is shown for a shift
const CALM_MS = 400; // a night's rooms answer by the hundred
const TICK_MS = 5_000;

// `page` holds what the start page makes things with: $, el, badge, act, may, note.
export function makeRollCall(page) {
  const { $, el, badge, act, may } = page;
  const held = { calls: [], lines: new Map(), timer: null };

  async function load() {
    const [asked, silent] = await Promise.all([
      call("GET", "/room-calls?status=asked&limit=500"),
      call("GET", "/room-calls?status=unanswered&limit=100"),
    ]);
    const isSilent = (one) => !one.answered_at && Date.now() - new Date(one.answer_by) < SILENT_FOR_MS;
    held.calls = [...asked.items, ...silent.items.filter(isSilent)];
    show();
  }

  // Rows come without their codes: what is asked of this room is read again.
  function change() {
    held.timer ??= setTimeout(() => {
      held.timer = null;
      load().catch((problem) => page.note(words.failed(problem.message)));
    }, CALM_MS);
  }

  function show() {
    const rank = (one) => (one.code ? 0 : one.state === "unanswered" ? 1 : 2);
    const calls = held.calls.filter((one) => new Date(one.asked_at) <= new Date())
      .sort((a, b) => rank(a) - rank(b) || new Date(a.answer_by) - new Date(b.answer_by) || a.id - b.id);
    $("calls-card").hidden = calls.length === 0;
    $("calls-count").textContent = calls.length || "";
    // A line stays as it is while somebody types into it.
    const lines = new Map(calls.map((one) => {
      const mark = `${one.state} ${one.code} ${words.rollCall}`;
      const line = held.lines.get(one.id);
      return [one.id, line?.mark === mark ? line : { mark, node: make(one) }];
    }));
    held.lines = lines;
    const nodes = [...lines.values()].map((line) => line.node);
    const isSame = nodes.length === $("calls").children.length && nodes.every((node, place) => node === $("calls").children[place]);
    if (!isSame) $("calls").replaceChildren(...nodes);
    tick();
  }

  function make(one) {
    const isSilent = one.state === "unanswered";
    return el("li", { class: one.code ? "own" : one.state, "data-id": one.id },
      badge(isSilent ? "critical" : "info", words.calls[one.state]),
      el("div", { class: "what" }, el("strong", {}, one.room_name), " ",
        one.code ? el("b", { class: "code" }, one.code) : "",
        el("small", {}, [one.area_name, one.phone].filter(Boolean).join(" · "))),
      el("div", { class: "when" }, el("small", { "data-until": one.answer_by })),
      may("operate") ? answer(one) : "");
  }

  // The room itself types its digits; from above somebody rings it and writes down who is there.
  function answer(one) {
    const code = el("input", { inputmode: "numeric", maxlength: "4", required: "", autocomplete: "off", "aria-label": words.typeCode, placeholder: words.typeCode });
    const by = el("input", { maxlength: "64", autocomplete: "name", "aria-label": one.code ? words.yourName : words.whoRang, placeholder: one.code ? words.yourName : words.whoRang });
    by.required = !one.code;
    const go = el("button", { class: one.code ? "main" : "quiet" }, one.code ? words.answer : words.rang);
    const form = el("form", { class: "do" }, ...(one.code ? [code] : []), by, go);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const given = one.code ? { how: "console", code: code.value, by: by.value } : { how: "telephone", by: by.value };
      act(go, async () => {
        code.value = "";
        await call("POST", `/room-calls/${one.id}/answer`, given);
        held.calls = held.calls.filter((other) => other.id !== one.id);
        show();
      });
    });
    return form;
  }

  function tick() {
    for (const node of $("calls").querySelectorAll("[data-until]")) {
      const isOver = new Date(node.dataset.until) <= new Date();
      node.textContent = isOver ? clock(node.dataset.until) : words.dueIn(until(node.dataset.until));
    }
  }

  setInterval(tick, TICK_MS);
  return { load, show, change, forget: () => { held.calls = []; show(); } };
}
