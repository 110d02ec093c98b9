import { expect, test } from "vitest";
import { inOrder, nightOf, overBy, type Round } from "./rounds";

const NOW = Date.parse("2026-11-22T16:30:00Z");
const usual = { mode: "walk", state: "running", walker_id: 1, stops_open: 4, seconds_per_stop: 10, ends_by: null, planned_at: "2026-11-22T16:00:00Z" };
const round = (id: number, more: Partial<Round>): Round => ({ ...usual, id, ...more }) as Round;

test("what needs somebody stands first", () => {
  const rounds = [
    round(1, { state: "finished" }), round(2, { state: "due", planned_at: "2026-11-22T19:00:00Z" }), round(3, { state: "due", planned_at: "2026-11-22T18:00:00Z" }),
    round(4, {}), round(5, { walker_id: null }), round(6, { state: "missed" }), round(7, { walker_id: null, mode: "machine" }), round(8, { ends_by: "2026-11-22T16:29:00Z" }),
  ];
  expect(inOrder(rounds, NOW).map((one) => one.id)).toEqual([6, 5, 8, 7, 4, 3, 2, 1]);
});

test("a round is too long by what is left to judge after its end", () => {
  expect(overBy(round(1, { ends_by: "2026-11-22T16:30:30Z" }), NOW)).toBe(10);
  expect(overBy(round(1, { ends_by: "2026-11-22T16:29:30Z" }), NOW)).toBe(70);
  expect(overBy(round(1, {}), NOW)).toBeNull();
  expect(overBy(round(1, { mode: "machine", ends_by: "2026-11-22T16:29:30Z" }), NOW)).toBeNull();
});

test("a night lasts from noon to noon by the site's clock, also when clocks change", () => {
  const show = (now: string, zone: string): string[] => Object.values(nightOf(Date.parse(now), zone)).map((at) => new Date(at).toISOString());
  expect(show("2026-11-22T16:30:00Z", "Asia/Shanghai")).toEqual(["2026-11-22T04:00:00.000Z", "2026-11-23T04:00:00.000Z"]);
  expect(show("2026-11-22T03:59:59Z", "Asia/Shanghai")).toEqual(["2026-11-21T04:00:00.000Z", "2026-11-22T04:00:00.000Z"]);
  expect(show("2026-03-29T00:30:00Z", "Europe/Berlin")).toEqual(["2026-03-28T11:00:00.000Z", "2026-03-29T10:00:00.000Z"]);
});
