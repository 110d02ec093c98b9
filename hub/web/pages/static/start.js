// The start page: what is wrong now, and what can be done about it. Text goes in as text only.

import { call, setCsrf, watch } from "./api.js";
import { makePatrol } from "./patrol.js";
import { makePictures } from "./pictures.js";
import { makeRollCall } from "./roll_call.js";
import { clock, duration, exactly, labelPage, switchLanguage, until, words } from "./words.js";

const $ = (id) => document.getElementById(id);
const STATUSES = ["offline", "degraded", "unknown", "maintenance", "online"];
const SEVERITIES = ["critical", "warning", "info"];
const PAGE = 50;

const state = {
  me: null, alerts: new Map(), connections: new Map(), pending: new Map(), devices: new Map(),
  next: null, moreAlerts: false, morePending: false, counts: null, stop: null, health: ["", null],
  isTrue: false, // what is shown was read since the line came up: until then nothing is said to be well
};

// Makes an element; strings become text nodes, never markup.
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") node.addEventListener("click", value);
    else if (value !== undefined && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}

const may = (permission) => state.me?.permissions.includes(permission);
const badge = (kind, text) => el("span", { class: `badge ${kind}` }, text);
const since = (text) => el("time", { datetime: text, title: new Date(text).toLocaleString() }, `${clock(text)} · ${duration(text)}`);

// Runs an action of a button: no double clicks, and what fails is said.
async function act(button, work) {
  button.disabled = true;
  try {
    await work();
    note("");
  } catch (problem) {
    note(words.failed(problem.message));
  } finally {
    button.disabled = false;
  }
}

function button(word, work, kind = "quiet") {
  const made = el("button", { type: "button", class: kind }, words[word]);
  made.addEventListener("click", () => act(made, work));
  return made;
}

let remark = "";
function note(text) {
  remark = text;
  showHealth();
}

function showHealth() {
  const [health, when] = state.health;
  const bad = health === "lost" || health === "stale";
  const text = bad ? words[health](clock(when)) : remark;
  $("banner").textContent = text;
  $("banner").hidden = !text;
  $("banner").classList.toggle("lost", bad);
  $("main").classList.toggle("stale", !state.isTrue);
  $("live").hidden = !state.me || bad;
  const isLive = health === "live" && state.isTrue;
  $("live").className = isLive ? "line live" : "line";
  $("live").textContent = isLive ? words.liveNow : words.connecting;
  patrol.health(bad ? text : "");
}

const tools = { $, el, badge, since, button, act, may, note, me: () => state.me, isTrue: () => state.isTrue };
const pictures = makePictures(tools);
const patrol = makePatrol(tools);
const rollCall = makeRollCall(tools);

// lists ---------------------------------------------------------------------------------------

function showSummary() {
  const counts = state.counts;
  if (!counts) return;
  const chosen = $("status").value;
  const open = Object.values(counts.open_alerts).reduce((a, b) => a + b, 0);
  const tile = (kind, number, text, go) =>
    el("button", { type: "button", class: `tile ${kind} ${number ? "" : "zero"} ${kind === chosen ? "chosen" : ""}`, onclick: go },
      el("b", {}, String(number)), el("span", {}, text));
  $("summary").replaceChildren(
    tile("open", open, words.open, () => $("alerts-card").scrollIntoView()),
    ...STATUSES.map((status) => tile(status, counts.approved[status] ?? 0, words.statuses[status], () => {
      $("status").value = chosen === status ? "" : status;
      loadDevices();
      showSummary();
    })),
    tile("waiting", counts.pending, words.pendingTile, () => $("pending-card").scrollIntoView()),
  );
  document.title = open ? `(${open}) 更夫 Gengfu` : "更夫 Gengfu";
}

function showAlerts() {
  const rank = (alert) => SEVERITIES.indexOf(alert.severity) + (alert.status === "firing" ? 0 : 10);
  const alerts = [...state.alerts.values()].sort((a, b) => rank(a) - rank(b) || b.id - a.id);
  $("alerts-count").textContent = alerts.length ? `${alerts.length}${state.moreAlerts ? "+" : ""}` : "";
  $("alerts-empty").hidden = alerts.length > 0;
  $("alerts").replaceChildren(...alerts.map((alert) => el("li", { class: `${alert.severity} ${alert.status}`, "data-id": alert.id },
    badge(alert.severity, words.severities[alert.severity]),
    el("div", { class: "what" },
      alert.drill_id === null ? "" : el("b", { class: "drill" }, words.drill),
      el("strong", {}, nameOf(alert)), " ", el("span", { class: "reason" }, alert.reason),
      el("small", {}, [alert.area_name, alert.rule_name, alert.folded > 0 && words.folded(alert.folded),
        isQuiet(alert) && words.quiet(clock(alert.quiet_until), alert.quiet_reason)].filter(Boolean).join(" · "))),
    el("div", { class: "when" }, since(alert.started_at), deadline(alert),
      alert.status === "acknowledged" ? el("small", {}, words.acknowledgedBy(alert.acknowledged_by)) : "",
      alert.status === "assigned" ? el("small", {}, words.assignedTo(alert.assigned_name)) : ""),
    el("div", { class: "do" },
      may("operate") && alert.status === "firing"
        ? button("acknowledge", () => call("POST", `/alerts/${alert.id}/acknowledge`, {}).then(keepAlert), "main") : "",
      button("details", () => showAccount(alert.id)),
      may("operate") ? button("resolve", () => resolve(alert)) : ""),
  )), ...(state.moreAlerts ? [el("li", { class: "hint" }, words.moreAlerts)] : []));
}

const nameOf = (alert) => alert.device_name || alert.area_name;
const isQuiet = (alert) => alert.quiet_until !== null && new Date(alert.quiet_until) > new Date();

// A deadline comes without any news from the hub.
function turnColours() {
  const isTurning = (alert) => alert.deadline && alert.colour !== "red" && new Date(alert.deadline) <= new Date();
  const turned = [...state.alerts.values()].filter(isTurning);
  turned.forEach((alert) => { alert.colour = "red"; });
  if (state.isTrue) showAlerts();
}

// How the alert stands to its deadline, in words as well as in colour.
function deadline(alert) {
  if (!alert.deadline) return "";
  return el("small", { class: `deadline ${alert.colour}`, title: new Date(alert.deadline).toLocaleString() },
    alert.colour === "red" ? words.overdue(duration(alert.deadline)) : words.dueIn(until(alert.deadline)));
}

function keepAlert(alert) {
  // What counts in an alert for many is not listed beside it.
  if (alert.status === "resolved" || alert.folded_into !== null) state.alerts.delete(alert.id);
  else state.alerts.set(alert.id, alert);
  showAlerts();
}

function resolve(alert) {
  $("resolve-what").textContent = `${alert.device_name || alert.area_name} – ${alert.reason}`;
  $("reason").value = "";
  $("resolve").returnValue = "";
  $("resolve").showModal();
  return new Promise((done, failed) => {
    $("resolve").addEventListener("close", () => {
      if ($("resolve").returnValue !== "ok") done();
      else call("POST", `/alerts/${alert.id}/resolve`, { reason: $("reason").value }).then(keepAlert).then(done, failed);
    }, { once: true });
  });
}

// The account of one alert: what happened, who was told and why, and what will happen by itself.
async function showAccount(id) {
  const [alert, lines] = await Promise.all([call("GET", `/alerts/${id}`), call("GET", `/alerts/${id}/history`)]);
  $("account-what").textContent = `${alert.drill_id === null ? "" : words.drill}${nameOf(alert)} – ${alert.reason}`;
  $("account-lines").replaceChildren(...lines.items.map((line) => el("li", { class: line.kind },
    el("time", { title: new Date(line.at).toLocaleString() }, exactly(line.at)),
    el("div", { class: "what" }, el("strong", {}, words.kinds[line.kind] ?? "", words.steps[line.what] ?? line.what), " ", line.who,
      line.text ? el("small", {}, line.text) : ""))));
  const isOpen = alert.status !== "resolved";
  const take = (path, body) => () => call("POST", `/alerts/${id}/${path}`, { ...body, note: $("account-note").value })
    .then((after) => { keepAlert(after); $("account-note").value = ""; return showAccount(id); });
  $("account-do").replaceChildren(...(may("operate") ? [
    isOpen && alert.assigned_to !== state.me.id ? button("take", take("assign", {}), "main") : "",
    isOpen ? button("snooze", take("snooze", { seconds: 1800 })) : "",
    button("comment", take("comment", {})),
  ].filter(Boolean) : []));
  $("account-note").hidden = !may("operate");
  if (!$("account").open) $("account").showModal();
}

function showConnections() {
  const bad = [...state.connections.values()].filter((c) => c.is_enabled && !["new", "connected"].includes(c.state));
  $("connections-card").hidden = bad.length === 0;
  $("connections-count").textContent = bad.length;
  $("connections").replaceChildren(...bad.map((c) => el("li", {},
    badge("warning", words.states[c.state] ?? c.state),
    el("div", { class: "what" }, el("strong", {}, c.name), " ", el("span", { class: "reason" }, c.state_detail),
      el("small", {}, `${c.protocol} · ${c.address}`)),
    el("div", { class: "when" }, since(c.state_since)))));
}

function showPending() {
  const waiting = [...state.pending.values()];
  $("pending-card").hidden = waiting.length === 0;
  $("pending-count").textContent = `${waiting.length}${state.morePending ? "+" : ""}`;
  $("pending").replaceChildren(...waiting.map((d) => el("li", {},
    badge(d.status, words.statuses[d.status]),
    el("div", { class: "what" }, el("strong", {}, d.name), " ",
      el("small", {}, [d.kind, d.manufacturer, d.model, d.address, d.area_name].filter(Boolean).join(" · "))),
    el("div", { class: "do" },
      may("maintain") ? button("approve", () => call("POST", `/devices/${d.id}/approve`).then((after) => change.devices([after])), "main") : ""))));
}

function deviceRow(d) {
  const fault = d.status === "online" ? "" : [words.layers[d.layer] ?? d.layer, d.detail].filter(Boolean).join("：");
  const why = [d.behind_name && words.behind(d.behind_name), fault, d.is_flapping && words.flapping].filter(Boolean).join(" · ");
  return el("tr", { "data-id": d.id, class: d.status },
    el("td", {}, badge(d.status, words.statuses[d.status])),
    el("td", { class: "name" }, el("strong", {}, d.name), el("small", {}, [d.manufacturer, d.model].filter(Boolean).join(" "))),
    el("td", {}, d.area_name),
    el("td", { class: "when" }, since(d.since)),
    el("td", { class: "why" }, why),
    el("td", {}, ["camera", "nvr"].includes(d.kind) && d.registration === "approved" ? button("picture", () => look(d)) : ""));
}

function showDevices() {
  $("devices").replaceChildren(...[...state.devices.values()].map(deviceRow));
  $("devices-empty").hidden = state.devices.size > 0;
  $("more").hidden = !state.next;
}

async function look(device) {
  $("picture-what").textContent = device.name;
  $("picture-note").textContent = words.loading;
  $("picture-image").hidden = true;
  $("picture").showModal();
  try {
    const address = URL.createObjectURL(await call("GET", `/devices/${device.id}/snapshot`));
    $("picture-image").onload = () => URL.revokeObjectURL(address);
    $("picture-image").src = address;
    $("picture-image").hidden = false;
    $("picture-note").textContent = new Date().toLocaleString();
  } catch (problem) {
    $("picture-note").textContent = words.failed(problem.message);
  }
}

// reading -------------------------------------------------------------------------------------

const keyed = (items, key = "id") => new Map(items.map((item) => [item[key], item]));
let asked = 0;

async function loadDevices(isMore = false) {
  const turn = ++asked;
  const query = new URLSearchParams({ limit: PAGE, registration: "approved", q: $("q").value });
  if ($("status").value) query.set("status", $("status").value);
  if (isMore) query.set("cursor", state.next);
  const page = await call("GET", `/devices?${query}`);
  if (turn !== asked) return; // somebody typed on
  state.devices = isMore ? new Map([...state.devices, ...keyed(page.items)]) : keyed(page.items);
  state.next = page.next;
  showDevices();
}

async function loadCounts() {
  state.counts = await call("GET", "/reports/status");
  showSummary();
}

async function loadAll() {
  const [alerts, connections, pending] = await Promise.all([
    call("GET", "/alerts?open=true&drill=true&limit=100"), call("GET", "/connections"),
    call("GET", "/devices?registration=pending&limit=50"),
    loadCounts(), loadDevices(), pictures.load(), patrol.load(), rollCall.load(),
  ]);
  state.alerts = keyed(alerts.items);
  state.moreAlerts = alerts.next !== null;
  state.connections = keyed(connections.items);
  state.pending = keyed(pending.items);
  state.morePending = pending.next !== null;
  state.isTrue = state.health[0] === "live";
  $("main").hidden = false;
  showAll();
  const linked = location.pathname.match(/^\/alerts\/(\d+)$/);
  if (linked) {
    history.replaceState(null, "", "/");
    await showAccount(linked[1]);
  }
}

// Reads everything, and tries again until it succeeds: until then the page does not look alive.
async function readAgain() {
  try {
    await loadAll();
    note("");
  } catch (problem) {
    state.isTrue = false;
    note(words.failed(problem.message));
    if (state.me) setTimeout(reload, 3000);
  }
}

function showAll() {
  showHealth();
  showSummary();
  showAlerts();
  showConnections();
  showPending();
  patrol.show();
  rollCall.show();
  showDevices();
  pictures.show();
}

// Calls `work` soon, and at most once in `wait_ms`, however often it is asked for.
function calmly(work, wait_ms) {
  let timer = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      work().catch((problem) => note(words.failed(problem.message)));
    }, wait_ms);
  };
}

const recount = calmly(loadCounts, 1500);
const relist = calmly(loadDevices, 1000);
const reload = calmly(readAgain, 200);

const change = {
  alerts: (items) => { items.forEach(keepAlert); recount(); },
  connections: (items) => { items.forEach((c) => state.connections.set(c.id, c)); showConnections(); },
  "patrol-rounds": (items) => patrol.change(items),
  "room-calls": () => rollCall.change(),
  devices(items) {
    let isNew = false;
    for (const d of items) {
      if (d.registration === "pending") state.pending.set(d.id, d);
      else state.pending.delete(d.id);
      const wanted = $("status").value;
      const fits = d.registration === "approved" && (!wanted || wanted === d.status);
      if (!state.devices.has(d.id)) { isNew ||= fits; continue; }
      const row = $("devices").querySelector(`tr[data-id="${d.id}"]`);
      if (fits) {
        state.devices.set(d.id, d);
        const fresh = deviceRow(d);
        fresh.classList.add("changed");
        row?.replaceWith(fresh);
      } else {
        state.devices.delete(d.id);
        row?.remove();
      }
    }
    $("devices-empty").hidden = state.devices.size > 0;
    if (isNew && !state.next) relist();
    showPending();
    recount();
  },
};

// coming and going ----------------------------------------------------------------------------

async function enter(me) {
  state.me = me;
  setCsrf(me.csrf);
  $("login").hidden = true;
  $("who").textContent = me.name;
  $("logout").hidden = false;
  state.stop?.();
  state.stop = watch(Object.keys(change), {
    change: (topic, items) => change[topic](items),
    resync: reload,
    ended: () => leave(words.ended),
    health(health, when) {
      state.health = [health, when];
      if (health !== "live") state.isTrue = false;
      showHealth();
    },
  });
  showHealth();
}

function leave(why = "") {
  state.stop?.();
  Object.assign(state, { me: null, stop: null, health: ["", null], counts: null, isTrue: false });
  pictures.forget();
  patrol.forget();
  rollCall.forget();
  setCsrf("");
  note("");
  $("main").hidden = true;
  $("logout").hidden = true;
  $("who").textContent = "";
  $("login").hidden = false;
  $("login-error").textContent = why;
  $("login").elements.name.focus();
}

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  try {
    const me = await call("POST", "/session/login", { name: form.elements.name.value, password: form.elements.password.value });
    $("login-error").textContent = "";
    await enter(me);
  } catch (problem) {
    const known = { 401: words.wrongLogin, 429: words.tooMany(problem.wait) };
    $("login-error").textContent = known[problem.status] ?? words.failed(problem.message);
  } finally {
    form.elements.password.value = "";
  }
});

$("logout").addEventListener("click", () => act($("logout"), async () => { await call("POST", "/session/logout"); leave(); }));
$("language").addEventListener("click", () => { switchLanguage(); label(); if (!$("main").hidden) showAll(); });
$("filter").addEventListener("submit", (event) => event.preventDefault());
$("q").addEventListener("input", calmly(loadDevices, 250));
$("status").addEventListener("change", () => { loadDevices(); showSummary(); });
$("more").addEventListener("click", () => act($("more"), () => loadDevices(true)));
$("resolve-cancel").addEventListener("click", () => $("resolve").close());

function label() {
  labelPage();
  $("language").textContent = words.other;
  const chosen = $("status").value;
  $("status").replaceChildren(el("option", { value: "" }, words.all),
    ...STATUSES.map((status) => el("option", { value: status }, words.statuses[status])));
  $("status").value = chosen;
}

// "12 min" grows by itself.
setInterval(() => {
  for (const time of document.querySelectorAll("time[datetime]")) {
    time.textContent = `${clock(time.dateTime)} · ${duration(time.dateTime)}`;
  }
  turnColours();
}, 20_000);

label();
call("GET", "/session/me").then(enter, (problem) => leave(problem.status === 401 ? "" : words.failed(problem.message)));
