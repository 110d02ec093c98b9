import { expect, test } from "vitest";
import { changesOf, isAlike, pick, placeOf, put } from "./changes";
import { unitOf } from "./durations";
import { calendarOf, clockOf, hoursOf, minutesOf, readCalendar, type Calendar } from "./hours";
import { localOf, momentOf } from "./zoned";

test("a length of time is said in its largest whole unit", () => {
  expect([0, 45, 90, 300, 7200, 5400, 172_800, null].map(unitOf)).toEqual(["s", "s", "s", "min", "h", "min", "d", "s"]);
});

test("a local time of the site is a moment, whatever zone the screen is in", () => {
  expect(momentOf("2026-11-22T03:04", "Asia/Shanghai")).toBe("2026-11-21T19:04:00.000Z");
  expect(localOf("2026-11-21T19:04:00Z", "Asia/Shanghai")).toBe("2026-11-22T03:04:00");
  expect(momentOf("2026-07-01T12:00", "Europe/Berlin")).toBe("2026-07-01T10:00:00.000Z");
});

test("a time that a change of the clock leaves out is none, the others of that night are", () => {
  expect(momentOf("2026-03-29T02:30", "Europe/Berlin")).toBeNull();
  expect(momentOf("2026-03-29T03:30", "Europe/Berlin")).toBe("2026-03-29T01:30:00.000Z");
  expect(momentOf("2026-03-29T01:30", "Europe/Berlin")).toBe("2026-03-29T00:30:00.000Z");
  expect(momentOf("nonsense", "Europe/Berlin")).toBeNull();
});

test("hours of the week become a calendar and are read back", () => {
  const night = { kind: "daily" as const, weekdays: [], from: 1320, to: 360, days: "any" as const };
  const calendar = calendarOf(night, "Asia/Shanghai");
  expect(calendar).toEqual({ rrule: "FREQ=DAILY;BYHOUR=22;BYMINUTE=0", duration_s: 28_800, time_zone: "Asia/Shanghai", days: "any" });
  expect(hoursOf(calendar)).toEqual(night);
  const week = { kind: "weekly" as const, weekdays: ["MO" as const, "SU" as const], from: 510, to: 1050, days: "working" as const };
  expect(calendarOf(week, "UTC").rrule).toBe("FREQ=WEEKLY;BYDAY=MO,SU;BYHOUR=8;BYMINUTE=30");
  expect(hoursOf(calendarOf(week, "UTC"))).toEqual(week);
});

test("a whole day lasts a day, and a rule that says more is left to its author", () => {
  expect(calendarOf({ kind: "daily", weekdays: [], from: 480, to: 480, days: "any" }, "UTC").duration_s).toBe(86_400);
  const rule = (rrule: string, duration_s = 3600): Calendar => ({ rrule, duration_s, time_zone: "UTC", days: "any" });
  expect(hoursOf(rule("FREQ=DAILY;BYHOUR=22,23;BYMINUTE=0"))).toBeNull();
  expect(hoursOf(rule("FREQ=DAILY;INTERVAL=2;BYHOUR=22"))).toBeNull();
  expect(hoursOf(rule("FREQ=WEEKLY;BYDAY=1MO;BYHOUR=1"))).toBeNull();
  expect(hoursOf(rule("FREQ=DAILY;BYHOUR=1", 90_000))).toBeNull();
  expect(hoursOf(rule("FREQ=MONTHLY;BYHOUR=1"))).toBeNull();
  expect(hoursOf(rule("FREQ=DAILY"))).toBeNull();
  expect(readCalendar({ rrule: "FREQ=DAILY", duration_s: 60, time_zone: "UTC" })?.days).toBe("any");
  expect(readCalendar("FREQ=DAILY")).toBeNull();
  expect([clockOf(65), minutesOf("1:05"), minutesOf("23：59"), minutesOf("24:00"), minutesOf("")]).toEqual(["01:05", 65, 1439, null, null]);
});

test("what others changed is found by field, whatever the order of keys", () => {
  const before = { name: "Gate", hours: { a: 1, b: 2 }, tags: ["x"] };
  expect(changesOf(before, { tags: ["x"], hours: { b: 2, a: 1 }, name: "Gate" })).toEqual([]);
  expect(changesOf(before, { ...before, tags: ["x", "y"] })).toEqual([{ field: "tags", theirs: ["x", "y"] }]);
  expect(isAlike({ a: undefined }, {})).toBe(true);
});

test("the hub's sentence stands at the field it is about", () => {
  const errors = [{ loc: ["body", "condition.for_s"], msg: "too long" }, { loc: ["body", "area_id"], msg: "none" }, { loc: ["body", "address"], msg: "no" }];
  expect(placeOf(errors, "condition.for_s")).toBe("too long");
  expect(placeOf(errors, "area_id")).toBe("none");
  expect(placeOf(errors, "options.address")).toBe("no");
  expect(placeOf(errors, "name")).toBe("");
});

test("a path reaches into an object and makes what is missing on its way", () => {
  const thing: Record<string, unknown> = {};
  put(thing, "options.tls.verify", "ca");
  expect(thing).toEqual({ options: { tls: { verify: "ca" } } });
  expect(pick(thing, "options.tls.verify")).toBe("ca");
  expect(pick(thing, "options.none.verify")).toBeUndefined();
});
