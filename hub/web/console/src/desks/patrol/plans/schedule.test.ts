import { expect, test } from "vitest";
import { anotherTime, buildRule, endOf, readRule, withTime } from "./schedule";

test("what the controls say is kept by the rule, and read back", () => {
  for (const rule of ["FREQ=DAILY;BYHOUR=0;BYMINUTE=30", "FREQ=DAILY;INTERVAL=2;BYHOUR=0,3,22;BYMINUTE=0", "FREQ=WEEKLY;BYDAY=MO,WE;BYHOUR=23;BYMINUTE=15", "FREQ=MONTHLY;BYMONTHDAY=1,15;BYHOUR=2;BYMINUTE=0"])
    expect(buildRule(readRule(rule) ?? { kind: "daily", every: 9, weekdays: [], monthdays: [], times: [] })).toBe(rule);
  expect(readRule("FREQ=DAILY")?.times).toEqual([0]);
  expect(readRule("freq=daily;byday=FR,MO;byhour=1")).toMatchObject({ kind: "weekly", weekdays: ["MO", "FR"], times: [60] });
});

test("what they cannot say stays a rule", () => {
  for (const rule of ["", "FREQ=HOURLY", "FREQ=MONTHLY;BYDAY=1MO;BYHOUR=1", "FREQ=DAILY;BYHOUR=1;BYMINUTE=0,30", "FREQ=DAILY;COUNT=3", "FREQ=WEEKLY;BYHOUR=1", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=DAILY;BYSECOND=5"])
    expect(readRule(rule), rule).toBeNull();
});

test("all times of a rule share their minute", () => {
  expect(withTime([30, 210], 1, 4 * 60 + 15)).toEqual([15, 255]);
  expect(anotherTime([23 * 60])).toEqual([0, 1380]);
  expect(anotherTime([])).toEqual([60]);
});

test("a round that goes beyond midnight ends on the next day", () => {
  expect(endOf(23 * 60, 2 * 3600)).toEqual({ clock: "01:00", days: 1 });
  expect(endOf(0, 3600)).toEqual({ clock: "01:00", days: 0 });
});
