import { expect, test } from "vitest";
import { addDays, addMonths, beginOf, daysOf, isDay, join } from "./days";
import type { Round } from "../rounds";

test("a month is shown in whole weeks from Monday", () => {
  const november = daysOf("month", "2026-11-22");
  expect([november[0], november.at(-1), november.length]).toEqual(["2026-10-26", "2026-12-06", 42]);
  expect(daysOf("month", "2027-02-10")).toHaveLength(28);
  expect(daysOf("week", "2026-11-22")).toEqual(["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22"]);
  expect([addMonths("2026-12-31", 1), addMonths("2026-01-31", -1), addDays("2028-02-28", 1)]).toEqual(["2027-01-01", "2025-12-01", "2028-02-29"]);
  expect([isDay("2026-11-22"), isDay("2026-13-01"), isDay("x")]).toEqual([true, false, false]);
});

test("a day begins at midnight by the site's clock, also when clocks change", () => {
  expect(beginOf("2026-11-22", "Asia/Shanghai")).toBe("2026-11-21T16:00:00.000Z");
  const spring = ["2026-03-29", "2026-03-30"].map((day) => Date.parse(beginOf(day, "Europe/Berlin")));
  expect(((spring[1] ?? 0) - (spring[0] ?? 0)) / 3_600_000).toBe(23);
  const autumn = ["2026-10-25", "2026-10-26"].map((day) => Date.parse(beginOf(day, "Europe/Berlin")));
  expect(((autumn[1] ?? 0) - (autumn[0] ?? 0)) / 3_600_000).toBe(25);
});

test("what is foreseen stands beside the rounds that there are, each once", () => {
  const round = { id: 5, plan_id: 1, planned_at: "2026-11-22T16:30:00Z", plan_name: "a", area_name: "", mode: "walk", ends_by: null } as Round;
  const seen = (at: string, plan: number, isLeftOut = false) => ({ plan_id: plan, plan_name: "a", area_id: 1, area_name: "", mode: "walk" as const, planned_at: at, ends_by: null, is_left_out: isLeftOut });
  const now = Date.parse("2026-11-22T12:00:00Z");
  const found = join([round], [seen("2026-11-22T16:30:00+00:00", 1), seen("2026-11-23T16:30:00Z", 1), seen("2026-11-21T16:30:00Z", 1), seen("2026-11-20T16:30:00Z", 1, true)], now);
  expect(found.map((one) => [one.at, one.round?.id ?? null, one.isLeftOut])).toEqual([["2026-11-20T16:30:00Z", null, true], ["2026-11-22T16:30:00Z", 5, false], ["2026-11-23T16:30:00Z", null, false]]);
});
