import { expect, test } from "vitest";
import { barOf, DAY_MS } from "./timeline";

test("a spell lies where it begins and ends, and what is beyond the strip is cut", () => {
  expect(barOf(DAY_MS, 2 * DAY_MS, 0, 4)).toEqual({ left: 0.25, width: 0.25, isCutLeft: false, isCutRight: false });
  expect(barOf(-DAY_MS, 9 * DAY_MS, 0, 4)).toEqual({ left: 0, width: 1, isCutLeft: true, isCutRight: true });
});

test("a spell before or after the strip, or one that was taken back, is not on it", () => {
  expect(barOf(-DAY_MS, 0, 0, 4)).toBeNull();
  expect(barOf(4 * DAY_MS, 5 * DAY_MS, 0, 4)).toBeNull();
  expect(barOf(DAY_MS, DAY_MS, 0, 4)).toBeNull();
});
