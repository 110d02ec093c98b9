// The hub's API and its live stream. Knows nothing of the page.

const API = "/api/v1";
const BEAT_LIMIT_MS = 40_000; // the hub speaks every 15 s: two missed, and we do not trust the line
const RETRY_MS = 3_000;

let csrf = "";
export const setCsrf = (token) => { csrf = token; };

export class Problem extends Error {
  constructor(status, detail, wait) {
    super(detail);
    this.status = status;
    this.wait = wait;
  }
}

export async function call(method, path, body) {
  const headers = { "X-CSRF-Token": csrf };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(API + path, {
    method, headers, credentials: "same-origin", cache: "no-store",
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Problem(answer.status, problem.detail ?? answer.statusText, answer.headers.get("Retry-After"));
  }
  const type = answer.headers.get("Content-Type") ?? "";
  if (/^(image|video)\//.test(type)) return answer.blob();
  return answer.status === 204 ? null : answer.json();
}

// Watches the stream. `on.change(topic, items)`, `on.resync()`, `on.ended()`, and `on.health(state, since)`
// with state "live", "lost" or "stale" (the hub is there, its database is not).
export function watch(topics, on) {
  let source = null;
  let heard = Date.now();
  let good = Date.now(); // when we last knew that what we show is true
  let since = null;
  let state = "";
  let stopped = false;
  const tell = (next) => {
    if (next === "live") since = null;
    else since ??= new Date(good);
    if (next !== state) on.health((state = next), since);
  };
  const connect = () => {
    source?.close();
    heard = Date.now();
    source = new EventSource(`${API}/live`);
    source.addEventListener("beat", (event) => {
      heard = Date.now();
      const was = state;
      const isGood = JSON.parse(event.data).database;
      if (isGood) good = heard;
      tell(isGood ? "live" : "stale");
      if (was !== "live" && state === "live") on.resync();
    });
    source.addEventListener("resync", () => on.resync());
    source.addEventListener("ended", () => { stop(); on.ended(); });
    for (const topic of topics) {
      source.addEventListener(topic, (event) => { heard = Date.now(); on.change(topic, JSON.parse(event.data).items); });
    }
    source.onerror = () => tell("lost");
  };
  const timer = setInterval(async () => {
    const isSilent = Date.now() - heard > BEAT_LIMIT_MS;
    if (isSilent) tell("lost");
    if (isSilent || source.readyState === EventSource.CLOSED) {
      const over = await call("GET", "/session/me").then(() => false, (problem) => problem.status === 401);
      if (stopped) return;
      if (over) { stop(); on.ended(); } else connect();
    }
  }, RETRY_MS);
  const stop = () => { stopped = true; clearInterval(timer); source.close(); };
  connect();
  return stop;
}
