// The page of a roll call on the phone of a duty room: a question, a code, a name.

import { find, show, tell, write } from "./dom.js";
import { lasting, offer, say } from "./language.js";
import { call, keepName, token } from "./line.js";
import { Queue } from "./queue.js";
import "./call_words.js";

const RETRY_MS = 5_000;
const NAME_KEY = "gengfu-name";

let asked = null;
let end = null;
let lost = null;
let late_ms = 0;

const queue = new Queue(keepName("call"),
  (item) => call("POST", "/call/answer", { json: { given_id: item.id, ...item.said } }), { sent, refused, changed: draw });

function draw() {
  if (end) {
    tell(end[0], say(end[1]), say(end[2]));
    for (const id of ["line", "due"]) show(find(id), false);
    return;
  }
  const problem = queue.trouble ?? lost;
  find("line").className = problem ? "line lost" : "line";
  write(find("line"), problem ? say(problem.status === 0 ? "noLine" : "trouble") : queue.items.length ? say("sending", 1) : "");
  show(find("line"), Boolean(problem) || queue.items.length > 0);
  if (!asked) return;
  show(find("message"), false);
  show(find("main"), true);
  write(find("room"), [asked.area_name, asked.room_name].filter(Boolean).join(" · "));
  write(find("question"), say("question"));
  write(find("code"), asked.code);
  find("answer").querySelector("button").disabled = queue.items.length > 0;
  drawDue();
}

function drawDue() {
  const left = (Date.parse(asked.answer_by) - Date.now() - late_ms) / 1000;
  show(find("due"), true);
  find("due").className = `due ${left <= 0 ? "red" : left < 60 ? "yellow" : "green"}`;
  write(find("due"), left > 0 ? say("inTime", lasting(left)) : say("overdue", lasting(-left)));
}

function finish(kind, what, why) {
  end = [kind, what, why];
  queue.close();
  draw();
}

function sent() {
  finish("good", "thanks", "thanksWhy");
}

function refused(item, problem) {
  if (problem.status === 401 || problem.status === 404) return finish("over", "over", "overWhy");
  write(find("note"), problem.status === 422 ? say("wrong") : say("notTaken", problem.message));
  show(find("note"), true);
  find("typed").value = "";
  look();
}

async function look() {
  try {
    asked = await call("GET", "/call");
    late_ms = Date.parse(asked.now) - Date.now();
    lost = null;
  } catch (problem) {
    if (problem.isPassing) {
      lost = problem;
      setTimeout(look, RETRY_MS);
    } else if (!queue.items.length) {
      finish("over", "over", "overWhy");
    }
  }
  draw();
}

async function begin() {
  offer(find("language"), draw);
  if (token.length < 20) return tell("over", say("cut"), say("cutWhy"));
  try { find("by").value = localStorage.getItem(NAME_KEY) ?? ""; } catch { /* asked again */ }
  find("answer").addEventListener("submit", (event) => {
    event.preventDefault();
    show(find("note"), false);
    try { localStorage.setItem(NAME_KEY, find("by").value.trim()); } catch { /* asked again */ }
    queue.add("answer", { code: find("typed").value, by: find("by").value.trim() });
  });
  setInterval(() => { if (asked && !end) drawDue(); }, 1_000);
  await queue.open();
  return look();
}

begin();
