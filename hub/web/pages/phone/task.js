// The page of a task on the phone of whoever was sent there.

import { find, show, tell, write } from "./dom.js";
import { name, offer, say } from "./language.js";
import { Problem, call, keepName, token } from "./line.js";
import { shrink } from "./photo.js";
import { Queue, ageOf } from "./queue.js";
import "./task_words.js";
import { clock, drawChecklist, drawDue, drawMessages, drawPhotos, drawTask, nextStep, stateAfter } from "./task_view.js";

const LOOK_EVERY_MS = 20_000;
const POSITION_EVERY_MS = 30_000;
const MOVING = ["on_the_way", "on_site"];
const LAST = ["done", "refuse"];
const SEND = {
  step: (item) => call("POST", "/task/steps", { json: { given_id: item.id, ...item.said } }),
  message: (item) => call("POST", "/task/messages", { json: { given_id: item.id, ...item.said } }),
  photo: (item) => call("POST", "/task/photos", { blob: item.said.blob, given: item.id }),
  position: (item) => call("POST", "/task/positions", { json: { ...item.said, age_s: ageOf(item) } }),
};

let task = null;
let end = null; // what is told instead of the task: [kind, what, why, count]
let checked = [];
let photos = [];
let lost = null; // the problem of the last look
let late_ms = 0;
let lastPosition = 0;
let watching = null;

const queue = new Queue(keepName("task"), (item) => SEND[item.kind](item), { sent, refused, changed: draw });

function draw() {
  if (end) {
    const [kind, what, why, left] = end;
    tell(kind, say(what), say(why) + (left ? ` ${say("left", left)}` : ""));
    for (const id of ["next", "line", "due"]) show(find(id), false);
    return;
  }
  drawLine();
  if (!task) return;
  show(find("message"), false);
  show(find("main"), true);
  const state = stateAfter(task, queue.items);
  drawTask(task, state);
  drawDue(task, late_ms);
  drawChecklist(task, checked, tick);
  drawMessages(task, queue.items);
  drawPhotos(task, photos);
  show(find("position-part"), "geolocation" in navigator && isSecureContext && MOVING.includes(state));
  follow(state);
}

function drawLine() {
  const waiting = queue.items.length;
  const problem = queue.trouble ?? lost;
  const words = [];
  if (problem?.status === 429) words.push(say("slow", problem.wait));
  else if (problem) words.push(say(problem.status === 0 ? "noLine" : "trouble"));
  if (waiting) words.push(say(problem ? "waits" : "sending", waiting));
  find("line").className = problem ? "line lost" : "line";
  write(find("line"), words.join(" "));
  show(find("line"), words.length > 0);
}

function finish(kind, what, why) {
  if (end) return;
  const left = kind === "over" ? queue.items.filter((item) => item.kind !== "position").length : 0;
  end = [kind, what, why, left];
  if (watching !== null) navigator.geolocation.clearWatch(watching);
  if (find("sure").open) find("sure").close();
  queue.close().then(() => queue.shelf.put("end", end));
  draw();
}

function take(fresh) {
  lost = null;
  if (!fresh) return;
  if (checked.length !== fresh.checklist.length) checked = [...fresh.checked];
  late_ms = Date.parse(fresh.now) - Date.now();
  task = fresh;
  queue.shelf.put("task", task);
}

async function look() {
  try {
    take(await call("GET", "/task"));
  } catch (problem) {
    if (problem.isPassing) lost = problem;
    // While a last word waits for its answer the link may be over already: the queue will say how.
    else if (!queue.items.some((item) => item.kind === "step")) finish("over", "over", "overWhy");
  }
  draw();
}

function sent(item, answer) {
  if (item.kind === "step") {
    take(answer);
    if (item.said.step === "done") finish("good", "thanks", "thanksWhy");
    if (item.said.step === "refuse") finish("good", "refused", "refusedWhy");
  } else if (item.kind === "message") {
    task?.messages.push({ at: new Date().toISOString(), author: "", is_field: true, text: item.said.text });
  } else if (item.kind === "photo") {
    const mine = photos.find((photo) => photo.id === item.id);
    if (mine) mine.is_sent = true;
    if (task) task.photos = answer.photos;
  } else {
    write(find("position-note"), say("positionSent", clock(Date.now())));
  }
}

function refused(item, problem) {
  if (problem.status === 401 || problem.status === 404) return finish("over", "over", "overWhy");
  if (item.kind === "position") return write(find("position-note"), problem.message);
  if (item.kind === "photo") {
    photos = photos.filter((photo) => photo.id !== item.id);
    return write(find("photo-note"), say("notTaken", problem.message));
  }
  complain(say("notTaken", problem.message));
  // What followed from a step that was not taken must not follow.
  if (item.kind === "step") for (const later of queue.items.filter((one) => one.kind === "step")) queue.drop(later);
  if (item.kind === "message") find("words").value ||= item.said.text;
  look();
}

function complain(words) {
  write(find("note"), words);
  show(find("note"), words !== "");
}

function tick(index, is_checked) {
  checked[index] = is_checked;
  queue.shelf.put("checked", checked);
}

function step(what, note = "") {
  complain("");
  navigator.vibrate?.(30);
  queue.add("step", { step: what, note, checked }, { rank: LAST.includes(what) ? 2 : 0 });
}

// Asks before what cannot be taken back: done, and refused.
function ask(what) {
  const open = what === "done" ? task.checklist.filter((_, index) => !checked[index]) : [];
  const missing = open.map((text) => say("notChecked", text));
  if (what === "done" && !task.photos && !photos.length) missing.push(say("noPhoto"));
  write(find("sure-what"), say(what === "done" ? "sureDone" : "sureRefuse"));
  find("sure-missing").replaceChildren(...missing.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  find("sure-reasons").replaceChildren(...(what === "done" ? [] : say("reasons")).map((reason) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: reason });
    button.addEventListener("click", () => { find("sure-note").value = reason; });
    return button;
  }));
  find("sure-note").value = "";
  find("sure-note").required = what === "refuse" || open.length > 0;
  write(find("sure-label"), say(what === "refuse" ? "refuseNote" : open.length ? "openNote" : "doneNote"));
  write(find("sure-ok"), say(what === "done" ? "yesDone" : "yesRefuse"));
  find("sure").dataset.step = what;
  find("sure").showModal();
}

async function addPhoto(file) {
  write(find("photo-note"), say("making"));
  const blob = await shrink(file);
  if (!blob) return write(find("photo-note"), say("photoUnread"));
  write(find("photo-note"), "");
  remember(queue.add("photo", { blob }, { rank: 1 }));
}

function remember(item) {
  photos.push({ id: item.id, url: URL.createObjectURL(item.said.blob), is_sent: false });
  draw();
}

function follow(state) {
  const isWanted = find("position").checked && MOVING.includes(state) && !end;
  if (isWanted && watching === null) {
    watching = navigator.geolocation.watchPosition(({ coords }) => {
      if (Date.now() - lastPosition < POSITION_EVERY_MS) return;
      lastPosition = Date.now();
      const { longitude, latitude, accuracy } = coords;
      queue.add("position", { longitude, latitude, accuracy_m: Math.min(accuracy, 100_000) }, { replaces: true });
    }, () => write(find("position-note"), say("noPosition")), { enableHighAccuracy: true, maximumAge: 10_000 });
  } else if (!isWanted && watching !== null) {
    navigator.geolocation.clearWatch(watching);
    watching = null;
  }
}

function listen() {
  find("step").addEventListener("click", () => {
    const what = nextStep(stateAfter(task, queue.items));
    if (what === "done") ask("done"); else if (what) step(what);
  });
  find("refuse").addEventListener("click", () => ask("refuse"));
  find("sure-cancel").addEventListener("click", () => find("sure").close());
  find("sure").querySelector("form").addEventListener("submit", () => step(find("sure").dataset.step, find("sure-note").value));
  find("camera").addEventListener("change", async () => {
    const [file] = find("camera").files;
    find("camera").value = "";
    if (file) await addPhoto(file);
  });
  find("say").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = find("words").value.trim();
    if (!text) return;
    queue.add("message", { text });
    find("words").value = "";
  });
  find("position").addEventListener("change", draw);
  find("look").addEventListener("click", async () => {
    write(find("look"), say("looking"));
    try {
      find("picture").src = URL.createObjectURL(await call("GET", "/task/picture"));
      show(find("picture"), true);
      show(find("look"), false);
    } catch { write(find("look"), say("noPicture")); }
  });
  addEventListener("online", look);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  setInterval(() => { if (!document.hidden && !end) look(); }, LOOK_EVERY_MS);
  setInterval(() => { if (task && !end) drawDue(task, late_ms); }, 1_000);
}

async function begin() {
  offer(find("language"), () => { delete find("photos").dataset.drawn; draw(); });
  if (token.length < 20) return tell("over", say("cut"), say("cutWhy"));
  const first = call("GET", "/task").then((answer) => answer, (problem) => problem);
  await queue.open();
  end = (await queue.shelf.get("end")) ?? null;
  if (end) queue.isClosed = true;
  checked = (await queue.shelf.get("checked")) ?? [];
  for (const item of queue.items.filter((one) => one.kind === "photo")) remember(item);
  listen();
  const found = await first;
  if (!(found instanceof Problem)) {
    if (end) { end = null; queue.isClosed = false; } // the desk sent it anew
    take(found);
    return draw();
  }
  if (end) return draw();
  if (found.isPassing) {
    lost = found;
    task = (await queue.shelf.get("task")) ?? null;
    return draw();
  }
  return look();
}

begin();
