// What is to be sent: in order, each under a number of its own, until the hub has it or refuses it.
// It outlives a reload, and a browser that was ended for want of memory while the camera was open.

import { newId } from "./line.js";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

// A shelf on the phone; where the browser keeps nothing, it is as long-lived as the page.
class Shelf {
  constructor(name) { this.name = name; }

  async open() {
    try {
      this.db = await new Promise((resolve, reject) => {
        const asked = indexedDB.open(this.name, 1);
        asked.onupgradeneeded = () => asked.result.createObjectStore("kept");
        asked.onsuccess = () => resolve(asked.result);
        asked.onerror = asked.onblocked = () => reject(asked.error);
      });
    } catch { this.db = null; }
  }

  ask(mode, work) {
    if (!this.db) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      try {
        const asked = work(this.db.transaction("kept", mode).objectStore("kept"));
        asked.onsuccess = () => resolve(asked.result);
        asked.onerror = () => resolve(undefined);
      } catch { resolve(undefined); }
    });
  }

  get(key) { return this.ask("readonly", (kept) => kept.get(key)); }
  all() { return this.ask("readonly", (kept) => kept.getAll(IDBKeyRange.bound("item:", "item:~"))); }
  put(key, value) { return this.ask("readwrite", (kept) => kept.put(value, key)); }
  remove(key) { return this.ask("readwrite", (kept) => kept.delete(key)); }
  clear() { return this.ask("readwrite", (kept) => kept.clear()); }
}

// `send(item)` sends one; `on.sent(item, answer)`, `on.refused(item, problem)`, `on.changed()`.
export class Queue {
  constructor(name, send, on) {
    this.shelf = new Shelf(name);
    this.send = send;
    this.on = on;
    this.items = [];
    this.trouble = null;
    this.isSending = false;
    this.isClosed = false;
    this.wait = FIRST_WAIT_MS;
    addEventListener("online", () => this.kick());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.kick(); });
  }

  async open() {
    await this.shelf.open();
    this.items = ((await this.shelf.all()) ?? []).sort((one, other) => one.order - other.order);
    this.kick();
  }

  // `replaces`: what waits of this kind and was not begun is said by the new one.
  add(kind, said, { replaces = false } = {}) {
    if (replaces) {
      for (const old of this.items.filter((item, index) => item.kind === kind && !(index === 0 && this.isSending))) this.drop(old);
    }
    const item = { id: newId(), kind, said, at: Date.now(), order: (this.items.at(-1)?.order ?? 0) + 1 };
    this.items.push(item);
    this.shelf.put(`item:${item.id}`, item);
    this.on.changed();
    this.run();
    return item;
  }

  drop(item) {
    this.items = this.items.filter((one) => one !== item);
    this.shelf.remove(`item:${item.id}`);
  }

  kick() {
    clearTimeout(this.timer);
    this.wait = FIRST_WAIT_MS;
    this.run();
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.items = [];
    return this.shelf.clear();
  }

  async run() {
    if (this.isSending || this.isClosed) return;
    clearTimeout(this.timer);
    this.isSending = true;
    while (this.items.length && !this.isClosed) {
      const item = this.items[0];
      this.on.changed();
      let answer;
      let problem = null;
      try { answer = await this.send(item); } catch (error) { problem = error; }
      if (this.isClosed) break;
      this.trouble = problem?.isPassing ? problem : null;
      if (this.trouble) {
        this.timer = setTimeout(() => this.run(), problem.wait ? problem.wait * 1000 : this.wait);
        this.wait = Math.min(LONGEST_WAIT_MS, this.wait * 2);
        break;
      }
      this.wait = FIRST_WAIT_MS;
      this.drop(item);
      if (problem) this.on.refused(item, problem); else this.on.sent(item, answer);
    }
    this.isSending = false;
    if (!this.isClosed) this.on.changed();
  }
}

// How long ago an item was said: no clock of the phone is believed, only its pace.
export const ageOf = (item) => Math.max(0, Math.round((Date.now() - item.at) / 100) / 10);
