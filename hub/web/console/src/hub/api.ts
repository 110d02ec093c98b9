// The hub's API, typed by its own description. Whoever asks gets data or a Problem, never a half of each.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
type FieldError = { loc?: (string | number)[]; msg?: string; type?: string };

/** What the hub refused, or that it could not be reached (status 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly errors: readonly FieldError[] = [],
    readonly waitS: number | null = null,
    readonly body: unknown = null,
  ) {
    super(detail);
  }
  /** The sentence about one field of what was sent, "" when there is none. */
  about(field: string): string {
    return this.errors.find((error) => error.loc?.map(String).includes(field))?.msg ?? "";
  }
}

let csrf = "";
let whenSignedOut: () => void = () => undefined;
export const setCsrf = (token: string): void => { csrf = token; };
export const onSignedOut = (tell: () => void): void => { whenSignedOut = tell; };
export const csrfHeader = (): Record<string, string> => ({ "X-CSRF-Token": csrf });

export const api = createClient<paths>({
  baseUrl: typeof location === "undefined" ? "http://hub" : location.origin,
  cache: "no-store",
  credentials: "same-origin",
  querySerializer: { array: { style: "form", explode: true } },
});
api.use({
  onRequest({ request }) {
    if (request.method !== "GET") request.headers.set("X-CSRF-Token", csrf);
    return request;
  },
});

/** Await a call of `api`: its data, or a Problem is thrown. */
export async function ask<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let answer;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, String(error));
  }
  if (!answer.response.ok) throw await problemOf(answer.response, answer.error);
  return answer.data as T;
}

/** Fetch what is not JSON (pictures, films, files): the blob and when the hub sent it. */
export async function askBlob(path: string, init: RequestInit = {}): Promise<{ blob: Blob; headers: Headers }> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", cache: "no-store", ...init, headers: { ...csrfHeader(), ...(init.headers as Record<string, string>) } });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, String(error));
  }
  if (!response.ok) throw await problemOf(response, await response.json().catch(() => null));
  return { blob: await response.blob(), headers: response.headers };
}

async function problemOf(response: Response, body: unknown): Promise<Problem> {
  const said = (typeof body === "object" && body !== null ? body : {}) as { detail?: string; errors?: FieldError[] };
  const wait = Number(response.headers.get("Retry-After"));
  const problem = new Problem(response.status, said.detail ?? response.statusText, said.errors ?? [], Number.isFinite(wait) && wait > 0 ? wait : null, body);
  if (response.status === 401 && !response.url.endsWith("/session/login")) whenSignedOut();
  return problem;
}
