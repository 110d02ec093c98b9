import { expect, test, vi } from "vitest";
import { DeviceList, type Hub } from "./list.svelte";
import type { Line, Query } from "./query";

const query = (q: string): Query => ({ filter: q ? { q } : {}, sort: "name", desc: false });
const line = (id: number, more: Partial<Line> = {}): Line => ({ id, name: `cam ${id}`, code: "", address: "", place: "", status: "online", layer: "", since: "", area_id: 1, ...more }) as Line;
const numbers = (count: number): number[] => Array.from({ length: count }, (_none, at) => at + 1);

/** A hub that answers when it is told to. */
class SlowHub implements Hub {
  asked: { q: string; lines: number; answer: (ids: number[]) => void; fail: (error: unknown) => void }[] = [];
  linesAsked: number[][] = [];
  hidden = new Set<number>();
  order(of: Query, lines: number): ReturnType<Hub["order"]> {
    return new Promise((resolve, reject) => {
      this.asked.push({ q: of.filter.q ?? "", lines, fail: reject, answer: (ids) => resolve({ at: "2026-11-22T00:00:00Z", ids, lines: ids.slice(0, lines).map((id) => line(id)) }) });
    });
  }
  lines(ids: readonly number[]): Promise<readonly Line[]> {
    this.linesAsked.push([...ids]);
    return Promise.resolve(ids.filter((id) => !this.hidden.has(id)).map((id) => line(id)));
  }
  counts(): ReturnType<Hub["counts"]> {
    return Promise.resolve({ at: "", total: 0, by_status: {}, by_kind: {}, by_layer: {}, flapping: 0 });
  }
}
const settle = (): Promise<void> => vi.advanceTimersByTimeAsync(0) as unknown as Promise<void>;

test("one question is on its way; of those typed meanwhile only the newest is asked, and late answers are dropped", async () => {
  vi.useFakeTimers();
  const hub = new SlowHub();
  const list = new DeviceList(hub);
  list.order(query("a"));
  list.order(query("ab"));
  list.order(query("abc"));
  expect(hub.asked.map((one) => one.q)).toEqual(["a"]);
  hub.asked[0]?.answer([1, 2]);
  await settle();
  expect(hub.asked.map((one) => one.q)).toEqual(["a", "abc"]);
  expect(list.ids).toEqual([]); // what "a" found is never shown
  hub.asked[1]?.answer([7]);
  await settle();
  expect([...list.ids]).toEqual([7]);
  expect(list.turn).toBe(1);
  expect(list.isBusy).toBe(false);
  list.order(query("abc")); // shown already
  expect(hub.asked).toHaveLength(2);
  // Back to what is shown while another question is on its way: that one's answer is dropped.
  list.order(query("x"));
  list.order(query("abc"));
  hub.asked[2]?.answer([9]);
  await settle();
  hub.asked[3]?.answer([7]);
  await settle();
  expect([...list.ids]).toEqual([7]);
  list.stop();
});

test("only lines that are seen and missing are asked for, once, and what is not visible is said", async () => {
  vi.useFakeTimers();
  const hub = new SlowHub();
  const list = new DeviceList(hub);
  list.order(query(""));
  hub.asked[0]?.answer(numbers(1000));
  await settle();
  expect(hub.linesAsked).toEqual([]); // the first ones came along
  hub.hidden.add(501);
  list.see(490, 499);
  list.see(500, 509); // flown over: the first are not asked for
  await vi.advanceTimersByTimeAsync(50);
  expect(hub.linesAsked).toEqual([numbers(1000).slice(500, 510)]);
  expect(list.isAnswered(501)).toBe(true);
  expect(list.lines.get(502)?.name).toBe("cam 502");
  list.see(500, 509);
  await vi.advanceTimersByTimeAsync(50);
  expect(hub.linesAsked).toHaveLength(1);
  list.stop();
});

test("a change shows in its row and keeps the order until it is asked for anew", async () => {
  vi.useFakeTimers();
  const hub = new SlowHub();
  const list = new DeviceList(hub);
  list.order({ filter: {}, sort: "status", desc: false });
  hub.asked[0]?.answer([1, 2, 3]);
  await settle();
  list.take([line(2, { status: "offline" }), line(3)]);
  expect([...list.ids]).toEqual([1, 2, 3]);
  expect(list.lines.get(2)?.status).toBe("offline");
  expect([...list.moved]).toEqual([2]);
  list.again();
  hub.asked[1]?.answer([2, 1, 3]);
  await settle();
  expect([...list.ids]).toEqual([2, 1, 3]);
  expect(list.moved.size).toBe(0);
  expect(list.turn).toBe(1); // the same list: nobody is taken back to its beginning
  list.stop();
});

test("what failed is said, and is asked again when the line is back; after a gap the order is doubtful", async () => {
  vi.useFakeTimers();
  const hub = new SlowHub();
  const list = new DeviceList(hub);
  list.order(query(""));
  hub.asked[0]?.fail(new Error("away"));
  await settle();
  expect(String(list.error)).toContain("away");
  list.doubt();
  hub.asked[1]?.answer([1]);
  await settle();
  expect(list.error).toBeNull();
  expect(list.isDoubtful).toBe(false);
  list.doubt();
  await settle();
  expect(list.isDoubtful).toBe(true);
  expect(hub.linesAsked).toEqual([[1]]);
  list.stop();
});
