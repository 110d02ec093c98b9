import { expect, test } from "vitest";
import { kept, NAMES, sorted, type Group } from "./kpis";

const group = (name: string, online: number | null): Group => ({ area_id: 0, name, devices: 1, ...Object.fromEntries(NAMES.map((one) => [one, { value: online, coverage: 1, formula: "f/1", withheld: null }])) }) as unknown as Group;

test("what is withheld is ranked behind everything that is known", () => {
  expect(sorted([group("none", null), group("low", 0), group("high", 1)], "online_rate").map((one) => one.name)).toEqual(["high", "low", "none"]);
});

test("a month that was kept without a figure shows nothing rather than half", () => {
  expect(kept({ area: { total: group("", 1), groups: [group("a", 1)] } }, "area")?.groups).toHaveLength(1);
  expect(kept({ area: { total: { name: "old" }, groups: [] } }, "area")).toBeNull();
  expect(kept({}, "vendor")).toBeNull();
});
