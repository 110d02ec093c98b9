import { expect, test } from "vitest";
import { dayCount, daysOf, readDays, shift } from "./period";

test("days are counted over ends of months and leap days", () => {
  expect(shift("2028-03-01", -1)).toBe("2028-02-29");
  expect(daysOf("before", "2026-03-31")).toEqual({ first: "2026-02-01", last: "2026-02-28" });
  expect(daysOf("this", "2026-11-01")).toEqual({ first: "2026-10-31", last: "2026-10-31" });
  expect(dayCount(daysOf("week", "2026-11-22"))).toBe(7);
  expect(dayCount(daysOf("month", "2026-11-22"))).toBe(30);
});

test("an address says which days; one that cannot be used falls back, one too long is cut", () => {
  const read = (text: string) => readDays(new URLSearchParams(text), "2026-11-22");
  expect(read("first=2026-11-01&last=2026-11-10")).toEqual({ preset: "own", first: "2026-11-01", last: "2026-11-10" });
  expect(read("first=2020-01-01&last=2026-12-31")).toEqual({ preset: "own", first: "2026-08-22", last: "2026-11-21" });
  expect(read("first=x&last=2026-11-10").preset).toBe("month");
  expect(read("period=week").first).toBe("2026-11-15");
});
