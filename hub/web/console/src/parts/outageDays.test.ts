import { expect, test } from "vitest";
import { cellsOf, monthsOf, onlineRate, sharesOf, stepTo, type Day } from "./outageDays";

const day = (name: string, parts: Partial<Day> = {}): Day => ({ day: name, online_s: 0, offline_s: 0, unknown_s: 0, planned_s: 0, outages: 0, ...parts });
const days = (from: string, count: number): Day[] =>
  Array.from({ length: count }, (_none, at) => day(new Date(Date.parse(`${from}T00:00:00Z`) + at * 86_400_000).toISOString().slice(0, 10), { online_s: 86_400 }));

test("a column is a week that begins on Monday, also where clocks are changed", () => {
  const cells = cellsOf(days("2025-10-19", 400)); // a Sunday
  expect(cells[0]).toMatchObject({ column: 0, row: 6 });
  expect(cells[1]).toMatchObject({ column: 1, row: 0 });
  expect(cells.at(-1)).toMatchObject({ column: 57, row: 6, at: 399 });
  expect(new Set(cells.map(({ column, row }) => column * 7 + row)).size).toBe(400);
  const months = monthsOf(cells);
  expect(months[0]?.month).toBe("2025-11"); // October has too little room for its name
  expect(months.at(-1)?.month).toBe("2026-11");
  expect(cellsOf([])).toEqual([]);
});
test("a minute's outage is seen, and a day of which nothing counts is empty", () => {
  const shares = sharesOf(day("2026-11-22", { offline_s: 60, online_s: 86_340 }));
  expect(shares.map((one) => one.part)).toEqual(["offline", "online"]);
  expect(shares[0]?.share).toBeGreaterThan(0.1);
  expect(shares.reduce((sum, one) => sum + one.share, 0)).toBeCloseTo(1);
  expect(shares[1]?.from).toBeCloseTo(shares[0]?.share ?? 0);
  expect(sharesOf(day("2026-11-22"))).toEqual([]);
});
test("the rate leaves out what is unknown and what was planned", () => {
  expect(onlineRate([day("a", { online_s: 75, offline_s: 25, unknown_s: 400, planned_s: 500 })])).toBe(0.75);
  expect(onlineRate([day("a", { unknown_s: 86_400 })])).toBeNull();
});
test("arrows go by day and by week and stop at the edges", () => {
  expect(stepTo("ArrowRight", 3, 400)).toBe(10);
  expect(stepTo("ArrowLeft", 3, 400)).toBe(0);
  expect(stepTo("ArrowDown", 399, 400)).toBe(399);
  expect(stepTo("End", 3, 400)).toBe(399);
  expect(stepTo("x", 3, 400)).toBeNull();
});
