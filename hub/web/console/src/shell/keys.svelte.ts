// Keys of the page that is open. They rest while somebody types or a dialog is open; "?" lists them.
export interface Key { key: string; says: string; act: (event: KeyboardEvent) => void }

class Keys {
  shown = $state<readonly Key[]>([]);
  #sets: (() => readonly Key[])[] = [];

  constructor() {
    if (typeof document !== "undefined") document.addEventListener("keydown", (event) => this.#press(event));
  }
  /** Offer keys until the returned function is called; call it in an `$effect`. */
  offer(list: () => readonly Key[]): () => void {
    this.#sets.push(list);
    return () => { this.#sets = this.#sets.filter((one) => one !== list); };
  }
  all(): readonly Key[] {
    return this.#sets.flatMap((list) => list());
  }
  #press(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    // Enter and Space belong to the button or link that has the focus.
    if (["Enter", " "].includes(event.key) && (event.target as Element | null)?.closest?.("button, a[href], summary, input, [role=button]")) return;
    const found = this.all().findLast((key) => key.key === event.key || key.key === event.key.toLowerCase());
    if (!found) return;
    event.preventDefault();
    found.act(event);
  }
}
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "range"].includes(target.type);
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
export const keyboard = new Keys();
/** In a component: `keys(() => [{ key: "a", says: words.take, act: take }])`. */
export function keys(list: () => readonly Key[]): void {
  $effect(() => keyboard.offer(list));
}
