import { expect, test } from "vitest";
import { dayBounds } from "./periods";

test("a day lasts from midnight to midnight of the site, 23 or 25 hours where clocks are changed", () => {
  expect(dayBounds("2026-11-22", "Asia/Shanghai")).toEqual({ since: "2026-11-21T16:00:00.000Z", until: "2026-11-22T16:00:00.000Z" });
  const hours = (day: string): number => {
    const bounds = dayBounds(day, "Europe/Berlin");
    return bounds ? (Date.parse(bounds.until) - Date.parse(bounds.since)) / 3_600_000 : 0;
  };
  expect([hours("2026-03-29"), hours("2026-10-25"), hours("2026-11-22")]).toEqual([23, 25, 24]);
  expect(dayBounds("2026-02-30", "UTC")).toBeNull();
  expect(dayBounds("<b>", "UTC")).toBeNull();
});
