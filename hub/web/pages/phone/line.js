// The line to the hub. The token stands in the fragment of the address and travels in a header only.

const API = "/api/v1";
const PATIENCE_MS = 20_000;
const UPLOAD_PATIENCE_MS = 150_000;

export const token = location.hash.slice(1);
addEventListener("hashchange", () => location.reload());

export class Problem extends Error {
  constructor(status, detail, wait = 0) {
    super(detail);
    this.status = status;
    this.wait = wait;
  }

  // The line or the hub failed, not what we said: worth saying again.
  get isPassing() { return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500; }
}

// Asks the hub once; what is not answered well is a Problem.
export async function ask(method, path, { json, blob, headers = {} } = {}) {
  const type = json !== undefined ? "application/json" : blob !== undefined ? "application/octet-stream" : null;
  let answer;
  try {
    answer = await fetch(API + path, {
      method, headers: type ? { ...headers, "Content-Type": type } : headers,
      credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer", redirect: "error",
      body: json === undefined ? blob : JSON.stringify(json),
      signal: AbortSignal.timeout(blob === undefined ? PATIENCE_MS : UPLOAD_PATIENCE_MS),
    });
  } catch {
    throw new Problem(0, "");
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Problem(answer.status, problem.detail ?? "", Number(answer.headers.get("Retry-After")) || 0);
  }
  if ((answer.headers.get("Content-Type") ?? "").startsWith("image/")) return answer.blob();
  return answer.status === 204 ? null : answer.json().catch(() => { throw new Problem(0, ""); });
}

// Asks as whoever holds this page's link.
export function call(method, path, { json, blob, given } = {}) {
  const headers = { "X-Phone-Token": token };
  if (given !== undefined) headers["X-Given-Id"] = given;
  return ask(method, `/phone${path}`, { json, blob, headers });
}

// A name for what this link's page keeps on the phone; the token cannot be told from it.
export function keepName(kind) {
  let one = 0xdeadbeef;
  let two = 0x41c6ce57;
  for (const letter of token) {
    one = Math.imul(one ^ letter.charCodeAt(0), 2654435761);
    two = Math.imul(two ^ letter.charCodeAt(0), 1597334677);
  }
  return `gengfu-${kind}-${(one >>> 0).toString(36)}${(two >>> 0).toString(36)}`;
}

// The number under which the hub keeps one thing once, however often it is sent.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
