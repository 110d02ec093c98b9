import { expect, test } from "vitest";
import { byNeed, colourAt, fits, merge, stageOf, type Task, type Wanted } from "./board";

const task = (more: Partial<Task>): Task => ({ id: 1, area_id: 2, title: "Lorry", place: "", device_name: "", unit_name: "", unit_id: null, kind: "other", priority: "normal", state: "new", colour: "green", created_at: "2026-01-01T00:00:00Z", deadline_at: null, overdue_at: null, yellow_share: 0.25, merged_into: null, version: 1, ...more } as Task);
const anything: Wanted = { area: null, q: "", kind: "", priority: "", colour: "", unit: null };
const everywhere = (): boolean => true;

test("a task stands where its state puts it; what is over leaves the board", () => {
  expect(stageOf(task({ state: "refused" }))).toBe("desk");
  expect(stageOf(task({ state: "on_the_way" }))).toBe("going");
  expect(stageOf(task({ state: "verified" }))).toBeNull();
});

test("what is overdue comes first, then the nearest deadline", () => {
  const late = task({ id: 1, colour: "red", deadline_at: "2026-01-02T00:00:00Z" });
  const soon = task({ id: 2, deadline_at: "2026-01-03T00:00:00Z" });
  const never = task({ id: 3 });
  expect([never, soon, late].toSorted(byNeed).map((one) => one.id)).toEqual([1, 2, 3]);
});

test("a change puts a task in, out, or in its place; an overtaken one changes nothing", () => {
  const fitsAll = (one: Task): boolean => fits(one, anything, everywhere);
  let board = merge(new Map(), [task({ id: 1 }), task({ id: 2, version: 5 })], fitsAll);
  expect([...board.keys()]).toEqual([1, 2]);
  board = merge(board, [task({ id: 1, state: "verified", version: 2 }), task({ id: 2, state: "cancelled", version: 4 })], fitsAll);
  expect([...board.keys()]).toEqual([2]);
});

test("the filter of the board is the hub's", () => {
  expect(fits(task({ title: "Lorry at the gate" }), { ...anything, q: " GATE" }, everywhere)).toBe(true);
  expect(fits(task({ id: 41 }), { ...anything, q: "41" }, everywhere)).toBe(true);
  expect(fits(task({}), { ...anything, area: 7 }, () => false)).toBe(false);
  expect(fits(task({ unit_id: 3 }), { ...anything, unit: 4 }, everywhere)).toBe(false);
});

test("a task turns yellow and red by the clock, without a word of the hub", () => {
  const one = task({ deadline_at: "2026-01-01T00:40:00Z" });
  const at = (time: string): string => colourAt(one, Date.parse(`2026-01-01T${time}Z`));
  expect([at("00:29:59"), at("00:30:00"), at("00:39:59"), at("00:40:00")]).toEqual(["green", "yellow", "yellow", "red"]);
  expect(colourAt(task({ overdue_at: "2026-01-01T00:00:01Z" }), 0)).toBe("red");
});
