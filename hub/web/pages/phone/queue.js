// What is to be sent: each under a number of its own, until the hub has it or refuses it. The lower
// `rank` goes first (a word before a photo, the last word after all), and what was said earlier.
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
    this.current = null;
    this.trouble = null;
    this.isSending = false;
    this.isClosed = false;
    this.wait = FIRST_WAIT_MS;
    addEventListener("online", () => this.kick());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.kick(); });
  }

  async open() {
    await this.shelf.open();
    this.items = (await this.shelf.all()) ?? [];
    this.sort();
    this.kick();
  }

  // `replaces`: what waits of this kind and is not under way is said by the new one.
  add(kind, said, { rank = 0, replaces = false } = {}) {
    if (replaces) for (const old of this.items.filter((item) => item.kind === kind && item !== this.current)) this.drop(old);
    const item = { id: newId(), kind, said, at: Date.now(), rank, order: Math.max(0, ...this.items.map((one) => one.order)) + 1 };
    this.items.push(item);
    this.sort();
    this.shelf.put(`item:${item.id}`, item);
    this.on.changed();
    this.run();
    return item;
  }

  sort() {
    this.items.sort((one, other) => one.rank - other.rank || one.order - other.order);
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
      const item = this.current = this.items[0];
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
    this.current = null;
    this.isSending = false;
    if (!this.isClosed) this.on.changed();
  }
}

// How long ago an item was said: no clock of the phone is believed, only its pace.
export const ageOf = (item) => Math.max(0, Math.round((Date.now() - item.at) / 100) / 10);
