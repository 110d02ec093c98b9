// What is asked for beside a picture: what is abnormal, why a stop is skipped, to whom a round goes.

import { call } from "./api.js";
import { words } from "./words.js";

const LONGEST_NOTE = 2000;
const KIND_KEYS = "1234567890qwertyuiop";
// These are the maintenance team's: whoever finds them seldom sends somebody out at night.
const NO_TASK = new Set(["camera_down", "picture_bad"]);

// `walk`: $, el, path(), round(), item(), checked(), done(before, after), roundDone(round), refuse(problem).
export function makeForm(walk) {
  const { $, el } = walk;
  let open = null; // { kind, chosen, stop }

  const KINDS = {
    abnormal: { note: "findingNote", hasKinds: true },
    skip: { note: "skipWhy", isNoteNeeded: true },
    disagree: { note: "disagreeWhy", isNoteNeeded: true },
    pause: { note: "pauseWhy" },
    handOver: { note: "handOverNote", hasColleagues: true },
  };

  async function show(kind) {
    const asked = KINDS[kind];
    const colleagues = asked.hasColleagues ? (await call("GET", `/patrol-rounds/${walk.round().id}/colleagues`)).items : [];
    open = { kind, chosen: "", stop: walk.item() };
    const note = el("input", { type: "text", id: "walk-form-note", maxlength: String(LONGEST_NOTE), autocomplete: "off", required: asked.isNoteNeeded ? "" : undefined });
    $("walk-form").replaceChildren(
      asked.hasKinds ? kinds() : "",
      asked.hasColleagues ? el("label", {}, words.toWhom, select(colleagues)) : "",
      el("label", {}, words[asked.note], note),
      asked.hasKinds ? task() : "",
      el("p", { class: "actions" }, cancel(), el("button", { class: "main" }, el("kbd", {}, "Enter"), ` ${words.save}`)),
    );
    $("walk-form").hidden = false;
    (asked.hasKinds ? $("walk-form").querySelector("input[type=radio]") : asked.hasColleagues ? $("walk-to") : note).focus();
  }

  function kinds() {
    return el("fieldset", {}, el("legend", {}, words.abnormal), ...Object.entries(words.findings).map(([kind, name], index) => {
      const radio = el("input", { type: "radio", name: "kind", value: kind });
      radio.addEventListener("change", () => choose(kind));
      return el("label", {}, radio, el("kbd", {}, KIND_KEYS[index].toUpperCase()), ` ${name}`);
    }));
  }

  function choose(kind) {
    open.chosen = kind;
    $("walk-form").querySelector(`input[value="${kind}"]`).checked = true;
    $("walk-task").checked = !NO_TASK.has(kind);
  }

  function task() {
    return el("label", { class: "inline" }, el("input", { type: "checkbox", id: "walk-task" }), ` ${words.openTask}`);
  }

  function select(colleagues) {
    const others = colleagues.filter((one) => one.id !== walk.round().walker_id);
    return el("select", { id: "walk-to", required: "" }, ...others.map((one) => el("option", { value: String(one.id) }, one.name)));
  }

  function cancel() {
    const made = el("button", { type: "button", class: "quiet" }, el("kbd", {}, "Esc"), ` ${words.cancel}`);
    made.addEventListener("click", () => $("walk").dispatchEvent(new Event("cancel", { cancelable: true })));
    return made;
  }

  function close() {
    open = null;
    $("walk-form").hidden = true;
    $("walk-form").replaceChildren();
    if ($("walk").open) $("walk").focus();
  }

  // A key chooses a kind, unless it is written into the note.
  function key(event) {
    if (open.kind !== "abnormal" || event.target.id === "walk-form-note") return;
    const kind = Object.keys(words.findings)[KIND_KEYS.indexOf(event.key.toLowerCase())];
    if (!kind || event.key.length !== 1) return;
    event.preventDefault();
    choose(kind);
    $("walk-form-note").focus();
  }

  async function submit() {
    const { kind, chosen, stop } = open;
    const note = $("walk-form-note").value.trim();
    const sha = { picture_sha256: stop?.picture_sha256 ?? "" };
    if (kind === "pause") return walk.roundDone(await call("POST", `/patrol-rounds/${walk.round().id}/pause`, { reason: note }));
    if (kind === "handOver") {
      return walk.roundDone(await call("POST", `/patrol-rounds/${walk.round().id}/hand-over`, { to_user_id: Number($("walk-to").value), note }));
    }
    if (kind === "skip") return walk.done(stop, await call("POST", `${walk.path()}/skip`, { reason: note }));
    if (kind === "disagree") return walk.done(stop, await call("POST", `${walk.path()}/second-look`, { agrees: false, note, ...sha }));
    if (!chosen) return walk.say(words.kindFirst);
    const body = { result: "abnormal", kind: chosen, note, checked: walk.checked(), ...sha };
    if ($("walk-task").checked) body.task = {};
    return walk.done(stop, await call("POST", `${walk.path()}/judge`, body));
  }

  $("walk-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const send = $("walk-form").querySelector("button.main");
    if (!open || send.disabled) return;
    send.disabled = true;
    try {
      await submit();
    } catch (problem) {
      await walk.refuse(problem);
    } finally {
      send.disabled = false;
    }
  });

  return { open: show, close, key, isOpen: () => open !== null };
}
