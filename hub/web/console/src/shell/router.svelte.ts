// Where the console is: what a page shows lies in the address, so that it can be sent to a colleague.
class Router {
  path = $state(here().pathname);
  query = $state(new URLSearchParams(here().search));
  /** Asked before a page is left; false keeps it. */
  #guards = new Set<() => boolean>();

  constructor() {
    if (typeof window === "undefined") return;
    window.addEventListener("popstate", () => this.#read());
    document.addEventListener("click", (event) => this.#follow(event));
  }
  guard(mayLeave: () => boolean): () => void {
    this.#guards.add(mayLeave);
    return () => this.#guards.delete(mayLeave);
  }
  go(address: string, replace = false): void {
    const next = new URL(address, location.origin);
    if (next.pathname !== this.path && ![...this.#guards].every((mayLeave) => mayLeave())) return;
    if (replace) history.replaceState(null, "", next);
    else history.pushState(null, "", next);
    this.#read();
  }
  /** Change some of the query and leave the rest; "" or null takes a key away. */
  set(changes: Record<string, string | number | readonly string[] | null | undefined>, replace = true): void {
    const query = new URLSearchParams(this.query);
    for (const [key, value] of Object.entries(changes)) {
      query.delete(key);
      for (const one of Array.isArray(value) ? (value as string[]) : [value])
        if (one !== null && one !== undefined && one !== "") query.append(key, String(one));
    }
    const text = query.toString();
    this.go(this.path + (text ? `?${text}` : ""), replace);
  }
  #read(): void {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }
  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.pathname.startsWith("/api/") || link.pathname.startsWith("/phone/") || link.pathname === "/report") return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}
function here(): { pathname: string; search: string } {
  return typeof location === "undefined" ? { pathname: "/", search: "" } : location;
}
export const router = new Router();
export const go = (address: string, replace = false): void => router.go(address, replace);
