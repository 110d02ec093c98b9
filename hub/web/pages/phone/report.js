// The page of a resident, or of an officer with the link of his unit, who reports something.
// The phone makes a key for each report and keeps it: with it, and nothing else, it asks later.

import { find, make, show, tell, write } from "./dom.js";
import { name, offer, say, spoken } from "./language.js";
import { ask, newId, token } from "./line.js";
import { shrink } from "./photo.js";
import "./report_words.js";

const KEPT = "gengfu-reports";
const MOST_KEPT = 10;
const RETRY_MS = 3_000;
const TRIES = 5;

let form = null;
let photos = [];
let where = null;
let mine = [];
let key = newKey();

// 32 random bytes in hexadecimal.
function newKey() { return newId() + newId(); }

function kept() {
  try { return JSON.parse(localStorage.getItem(KEPT) ?? "[]").filter((one) => /^[0-9a-f]{64}$/.test(one)); } catch { return []; }
}

function keep(one) {
  try { localStorage.setItem(KEPT, JSON.stringify([one, ...kept().filter((other) => other !== one)].slice(0, MOST_KEPT))); } catch { /* asked for no more */ }
}

function draw() {
  if (!form) return;
  const is_open = form.is_open || token.length >= 20;
  if (!is_open && !mine.length) return tell("over", say("closed"), say("closedWhy"));
  show(find("message"), false);
  show(find("main"), true);
  show(find("form"), is_open);
  const chosen = find("kind").value || "other";
  find("kind").replaceChildren(...Object.entries(form.kinds).map(([kind, words]) => make("option", { value: kind, textContent: inLanguage(words) })));
  find("kind").value = chosen;
  show(find("position-part"), "geolocation" in navigator && isSecureContext);
  show(find("mine-part"), mine.length > 0);
  find("mine").replaceChildren(...mine.map((one) => make("li", {},
    make("small", { textContent: `${one.reference} · ${name("states", one.state)}` }), one.text, one.answer ? make("p", { textContent: one.answer }) : "")));
  drawPhotos();
}

// Names of kinds are in both languages: "积水险情 Water".
function inLanguage(words) {
  const split = words.indexOf(" ");
  return split < 0 ? words : spoken() === "zh" ? words.slice(0, split) : words.slice(split + 1);
}

function drawPhotos() {
  for (const old of find("photos").querySelectorAll("img")) URL.revokeObjectURL(old.src);
  find("photos").replaceChildren(...photos.map((blob, index) => {
    const off = make("button", { type: "button", className: "quiet", textContent: "✕" });
    off.setAttribute("aria-label", say("remove"));
    off.addEventListener("click", () => { photos.splice(index, 1); drawPhotos(); });
    return make("figure", {}, make("img", { alt: "", src: URL.createObjectURL(blob) }), make("figcaption", {}, off));
  }));
  show(find("take"), photos.length < form.most_photos);
}

async function takePhoto(event) {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  const small = await shrink(file);
  write(find("photo-note"), small ? "" : say("tooLarge"));
  if (small) photos.push(small);
  drawPhotos();
}

function locate() {
  where = null;
  write(find("position-note"), "");
  if (!find("position").checked) return;
  navigator.geolocation.getCurrentPosition((found) => {
    where = { longitude: found.coords.longitude, latitude: found.coords.latitude };
    write(find("position-note"), say("positionTaken", Math.round(found.coords.accuracy)));
  }, () => {
    find("position").checked = false;
    write(find("position-note"), say("positionLost"));
  }, { enableHighAccuracy: true, timeout: 20_000 });
}

// The key is sent along: said twice it is one report, so a lost answer may be asked for again.
async function insist(method, path, what) {
  for (let tried = 1; ; tried += 1) {
    try {
      const answer = await ask(method, path, what);
      show(find("line"), false);
      return answer;
    } catch (problem) {
      if (!problem.isPassing || tried === TRIES) throw problem;
      find("line").className = "line lost";
      write(find("line"), problem.status === 429 ? say("slow", problem.wait) : say(problem.status === 0 ? "noLine" : "trouble"));
      show(find("line"), true);
      await new Promise((resolve) => { setTimeout(resolve, problem.wait ? problem.wait * 1000 : RETRY_MS); });
    }
  }
}

async function send(event) {
  event.preventDefault();
  show(find("note"), false);
  find("send").disabled = true;
  const headers = { "X-Report-Key": key, ...(token.length >= 20 ? { "X-Phone-Token": token } : {}) };
  try {
    const said = { text: find("text").value, kind: find("kind").value, place: find("place").value.trim(), contact: find("contact").value.trim(), ...where };
    const taken = await insist("POST", token.length >= 20 ? "/phone/reports" : "/reporting/reports", { headers, json: said });
    keep(key);
    let is_whole = true;
    for (const blob of photos) {
      try { await insist("POST", "/reporting/photos", { headers, blob }); } catch { is_whole = false; }
    }
    finish(taken.reference, is_whole);
  } catch (problem) {
    write(find("note"), problem.status === 0 ? say("noLine") : say("notTaken", problem.message));
    show(find("note"), true);
  }
  find("send").disabled = false;
}

function finish(reference, is_whole) {
  tell("good", say("thanks"), `${say("thanksWhy", reference)}${is_whole ? "" : ` ${say("photoLost")}`}`);
  const again = make("button", { type: "button", className: "main", textContent: say("another") });
  again.addEventListener("click", () => { again.remove(); begin(); });
  find("message").append(again);
  [key, photos, where] = [newKey(), [], null];
  find("form").reset();
}

async function begin() {
  try {
    form = await insist("GET", "/reporting", {});
  } catch {
    return tell("over", say("trouble"));
  }
  const asked = kept().map((one) => ask("GET", "/reporting/report", { headers: { "X-Report-Key": one } }).catch(() => null));
  mine = (await Promise.all(asked)).filter(Boolean);
  return draw();
}

offer(find("language"), draw);
find("camera").addEventListener("change", takePhoto);
find("position").addEventListener("change", locate);
find("form").addEventListener("submit", send);
begin();
