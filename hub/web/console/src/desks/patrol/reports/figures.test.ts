import { expect, test } from "vitest";
import { percent, readFigures } from "./figures";

test("a rate is never rounded up to all", () => {
  expect([percent(0.9999), percent(1), percent(0.975), percent(0), percent(null)]).toEqual(["99.9 %", "100.0 %", "97.5 %", "0.0 %", "—"]);
});

test("figures of an unknown form are not shown as if they were known", () => {
  expect(readFigures({})).toBeNull();
  expect(readFigures({ formula: 1, rounds: {}, stops: {}, calls: {}, tasks: {}, walks: [], area_ranking: {} })).not.toBeNull();
});
