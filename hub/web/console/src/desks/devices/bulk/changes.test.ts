import { expect, it } from "vitest";
import { changesOf, momentIn, type Filled } from "./changes";

const filled: Filled = { area: null, registration: "approved", deviceClass: "", team: " 二队 ", addTags: [], removeTags: [], parent: null, from: null, until: null, reason: "", own: true, answer: null, stream: null, day: null, night: null };

it("asks for what is ticked and for nothing else", () => {
  expect(changesOf(new Set(), filled)).toBeNull();
  expect(changesOf(new Set(["team", "deviceClass", "parent"]), filled)).toEqual({ team: "二队", device_class: "", parent_id: null });
  expect(changesOf(new Set(["intervals"]), { ...filled, own: false })).toEqual({ intervals: null });
});

it("waits until what is ticked is filled in", () => {
  for (const kind of ["area", "addTags", "window", "intervals", "profiles"] as const) expect(changesOf(new Set([kind]), filled)).toBeNull();
  const until = new Date("2026-11-22T05:00:00Z");
  expect(changesOf(new Set(["window"]), { ...filled, until, reason: "cables", from: until })).toBeNull();
});

it("reads times as clocks of the site show them", () => {
  expect(momentIn("Asia/Shanghai", "2026-11-22T08:00")?.toISOString()).toBe("2026-11-22T00:00:00.000Z");
  expect(momentIn("Europe/Berlin", "2026-03-29T03:30")?.toISOString()).toBe("2026-03-29T01:30:00.000Z");
  expect(momentIn("UTC", "soon")).toBeNull();
});
