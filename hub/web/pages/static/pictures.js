// Cameras whose picture is bad: counts, the newest, and the good beside the bad picture.

import { call } from "./api.js";
import { clock, words } from "./words.js";

const FEW = 5;
const MANY = 100;
const AGAIN_MS = 60_000;

// `page` holds what the start page makes things with: $, el, badge, since, button, may, note.
export function makePictures(page) {
  const { $, el, badge, since, button, may } = page;
  const held = { summary: null, lines: [], next: null, index: "", limit: FEW, turn: 0 };

  async function load() {
    const turn = ++held.turn;
    const query = new URLSearchParams({ limit: held.limit });
    if (held.index) query.set("index", held.index);
    const [summary, faults] = await Promise.all([call("GET", "/pictures/summary"), call("GET", `/pictures/faults?${query}`)]);
    if (turn !== held.turn) return; // somebody chose something else meanwhile
    Object.assign(held, { summary, lines: faults.items, next: faults.next });
    show();
  }

  function show() {
    const { summary } = held;
    $("pictures-card").hidden = !summary?.managed;
    if (!summary?.managed) return;
    $("pictures-count").textContent = summary.faulty || "";
    $("pictures-coverage").textContent = words.coverage(summary.checked, summary.managed, summary.hours);
    $("pictures-coverage").classList.toggle("few", summary.checked < summary.managed * 0.95);
    $("pictures-coverage").title = Object.entries(summary.reasons).map(([why, n]) => `${n} × ${why || words.otherReasons}`).join("\n");
    $("pictures-empty").hidden = held.lines.length > 0;
    $("pictures-kinds").replaceChildren(...Object.entries(summary.faults).map(([index, number]) =>
      el("button", { type: "button", class: `quiet ${index === held.index ? "chosen" : ""}`, "aria-pressed": index === held.index ? "true" : "false", onclick: () => choose(index) },
        `${words.indices[index] ?? index} `, el("b", {}, String(number)))));
    $("pictures").replaceChildren(...held.lines.map(line));
    $("pictures-more").hidden = !held.next || held.limit !== FEW;
  }

  const again = (change) => {
    Object.assign(held, change);
    return load().catch((problem) => page.note(words.failed(problem.message)));
  };
  const choose = (index) => again({ index: index === held.index ? "" : index, limit: FEW });

  function line(camera) {
    const first = camera.faults.find((fault) => fault.index === held.index) ?? camera.faults[0];
    const others = camera.faults.filter((fault) => fault !== first).map(nameOf);
    return el("li", { "data-id": camera.device_id },
      badge("warning", nameOf(first)),
      el("div", { class: "what" }, el("strong", {}, camera.device_name), " ", el("span", { class: "reason" }, first.why),
        el("small", {}, [camera.area_name, camera.place, camera.team, others.length && words.also(others.join("、")),
          camera.status === "online" ? "" : words.statuses[camera.status]].filter(Boolean).join(" · "))),
      el("div", { class: "when" }, since(first.since)),
      el("div", { class: "do" }, button("compare", () => compare(camera))));
  }

  // The good picture beside the bad one, and what can be said of it.
  async function compare(camera) {
    $("evidence-what").textContent = camera.device_name;
    $("evidence-why").replaceChildren(...camera.faults.map((fault) => el("li", {},
      el("strong", {}, nameOf(fault)), ` ${words.score(fault.score, fault.threshold)} `, el("span", {}, fault.why),
      may("operate") ? button("fine", sayFine(camera, fault)) : "")));
    $("evidence-do").replaceChildren(...(may("maintain")
      ? [button("checkAgain", checkAgain(camera)), button("acceptPicture", accept(camera))] : []));
    $("evidence-note").textContent = "";
    const pictures = ["good", "bad"].map((which) => picture(camera, which));
    $("evidence-pictures").replaceChildren(...pictures.map((one) => one.figure));
    if (!$("evidence").open) $("evidence").showModal();
    await Promise.all(pictures.map((one) => one.shown));
  }

  function picture(camera, which) {
    const caption = el("figcaption", {}, words[which], camera[which] ? ` ${clock(camera[which].at)}` : "");
    const frame = el("figure", { class: which }, caption);
    const shown = camera[which] ? call("GET", path(camera, `${which}.jpg`)).then(async (blob) => {
      const address = URL.createObjectURL(blob);
      const image = el("img", { alt: `${camera.device_name} ${words[which]}`, src: address });
      frame.append(image);
      await image.decode().finally(() => URL.revokeObjectURL(address));
    }) : Promise.reject(new Error());
    return { figure: frame, shown: shown.catch(() => frame.append(el("p", { class: "empty" }, words.notKept))) };
  }

  // Says beside the pictures what came of a click: the banner is behind the dialog.
  const told = (work, text) => async () => {
    try {
      $("evidence-note").textContent = text(await work());
      load().catch((problem) => page.note(words.failed(problem.message)));
    } catch (problem) {
      $("evidence-note").textContent = words.failed(problem.message);
    }
  };
  const path = (camera, rest) => `/devices/${camera.device_id}/picture/${rest}`;
  const nameOf = (fault) => words.indices[fault.index] ?? fault.index;

  const sayFine = (camera, fault) => told(
    () => call("POST", path(camera, "feedback"), { index: fault.index, is_fault: false }),
    (done) => (done.is_settled ? words.saidFine : words.saidTooBad)(nameOf(fault), Math.round(done.threshold)));
  const checkAgain = (camera) => told(() => call("POST", path(camera, "check")), () => words.willBeChecked);
  const accept = (camera) => told(() => call("POST", path(camera, "baseline"), { accept: true }), () => words.accepted);

  $("pictures-more").addEventListener("click", () => again({ limit: MANY }));
  setInterval(() => { if (held.summary && page.isTrue()) load().catch((problem) => page.note(words.failed(problem.message))); }, AGAIN_MS);
  return { load, show, forget: () => Object.assign(held, { summary: null, lines: [], index: "", limit: FEW }) };
}
