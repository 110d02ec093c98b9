// Draws a task. Knows what is shown and nothing of the line.

import { find, make, show, write } from "./dom.js";
import { lasting, locale, name, say } from "./language.js";

const WAY = ["sent", "accepted", "on_the_way", "on_site", "done"];
const LEADS_TO = { accept: "accepted", on_the_way: "on_the_way", on_site: "on_site", done: "done", refuse: "refused" };
const NEXT = { sent: "accept", accepted: "on_the_way", on_the_way: "on_site", on_site: "done" };
const REFUSABLE = ["sent", "accepted"];

export const nextStep = (state) => NEXT[state];

// The state as it will be once everything that waits is sent.
export function stateAfter(task, items) {
  const steps = items.filter((item) => item.kind === "step");
  return steps.length ? LEADS_TO[steps.at(-1).said.step] : task.state;
}

export function drawTask(task, state) {
  const priority = name("priorities", task.priority);
  write(find("number"), say("number", task.id) + (priority ? ` · ${priority}` : ""));
  find("number").className = `number ${task.priority}`;
  document.title = say("number", task.id);
  drawWay(state);
  write(find("title"), task.title);
  write(find("where"), [task.area_name, task.place || task.device_name].filter(Boolean).join(" · "));
  write(find("text"), task.text);
  const hasPlace = task.longitude !== null;
  show(find("navigate"), hasPlace);
  if (hasPlace) find("navigate").href = `geo:${task.latitude},${task.longitude}?q=${task.latitude},${task.longitude}`;
  show(find("look"), task.has_picture && find("picture").hidden);
  drawStep(state);
}

function drawWay(state) {
  const reached = WAY.indexOf(state);
  find("way").replaceChildren(...say("way").map((word, index) =>
    make("li", { className: index < reached ? "past" : index === reached ? "now" : "", textContent: word })));
}

function drawStep(state) {
  const step = NEXT[state];
  show(find("next"), Boolean(step));
  find("main").classList.toggle("waiting", Boolean(step));
  if (step) write(find("step"), name("steps", step));
  show(find("refuse"), REFUSABLE.includes(state));
}

// `late_ms`: how far the phone's clock is behind the hub's.
export function drawDue(task, late_ms) {
  show(find("due"), task.deadline_at !== null);
  if (task.deadline_at === null) return;
  const left = (Date.parse(task.deadline_at) - Date.now() - late_ms) / 1000;
  find("due").className = `due ${left <= 0 ? "red" : task.colour}`;
  write(find("due"), left > 0 ? say("inTime", lasting(left)) : say("overdue", lasting(-left)));
}

export function drawChecklist(task, checked, onTick) {
  show(find("checklist-part"), task.checklist.length > 0);
  const drawn = JSON.stringify(task.checklist);
  if (find("checklist").dataset.drawn === drawn) return;
  find("checklist").dataset.drawn = drawn;
  find("checklist").replaceChildren(...task.checklist.map((text, index) => {
    const box = make("input", { type: "checkbox", checked: checked[index] });
    box.addEventListener("change", () => onTick(index, box.checked));
    return make("li", {}, make("label", { className: "check" }, box, make("span", { textContent: text })));
  }));
}

export function drawMessages(task, items) {
  const lines = task.messages.map((one) => drawMessage(one.text, one.is_field, one.is_field ? clock(one.at) : `${one.author} ${clock(one.at)}`, ""));
  const waiting = items.filter((item) => item.kind === "message");
  lines.push(...waiting.map((item) => drawMessage(item.said.text, true, say("waiting"), "waiting")));
  find("messages").replaceChildren(...lines);
}

function drawMessage(text, is_own, by, more) {
  return make("li", { className: `${is_own ? "own" : ""} ${more}` }, make("small", { textContent: by }), text);
}

// The photos of this page; those the hub has of before are counted.
export function drawPhotos(task, mine) {
  const before = Math.max(0, task.photos - mine.filter((photo) => photo.is_sent).length);
  const count = before + mine.length;
  write(find("photos-count"), count ? String(count) : "");
  const drawn = mine.map((photo) => photo.id + photo.is_sent).join() + locale();
  if (find("photos").dataset.drawn === drawn) return;
  find("photos").dataset.drawn = drawn;
  find("photos").replaceChildren(...mine.map((photo) => make("figure", { className: photo.is_sent ? "" : "waiting" },
    make("img", { src: photo.url, alt: "" }), make("figcaption", { textContent: say(photo.is_sent ? "photoSent" : "waiting") }))));
}

export const clock = (at) => new Date(at).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });
