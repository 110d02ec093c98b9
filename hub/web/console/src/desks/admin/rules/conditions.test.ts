import { expect, test } from "vitest";
import { become, isKnown, perDay, sent, TYPES } from "./conditions";

test("a condition of another kind keeps what both know, and brings what it needs", () => {
  const offline = { type: "device_offline", for_s: 90, clear_for_s: 5, device_kinds: ["camera"] };
  expect(become("device_degraded", offline)).toEqual({ type: "device_degraded", layers: [], for_s: 90, clear_for_s: 5, device_kinds: ["camera"] });
  const event = become("event_of_kind", offline);
  expect(event).toMatchObject({ type: "event_of_kind", kind: "", device_kinds: ["camera"] });
  expect(event).not.toHaveProperty("for_s");
});

test("what a form of another kind left behind is not sent", () => {
  const told = sent({ type: "device_offline", for_s: null, clear_for_s: 5, kind: "motion.started", device_kinds: [] });
  expect(told).toEqual({ type: "device_offline", for_s: 0, clear_for_s: 5, device_kinds: [] });
});

test("a threshold without another value is well again at itself", () => {
  const told = sent({ ...become("point_beyond", {}), point: "temp", threshold: 40 });
  expect(told).not.toHaveProperty("clear");
  expect(sent({ ...become("point_beyond", {}), point: "temp", threshold: 40, clear: 35 })).toHaveProperty("clear", 35);
});

test("kinds that this page does not know are left as they are", () => {
  const strange = { type: "moon_phase", phase: 3 };
  expect(isKnown(strange.type)).toBe(false);
  expect(sent(strange)).toBe(strange);
  expect(TYPES.every(isKnown)).toBe(true);
});

test("a blank condition is not shared between forms", () => {
  const one = become("combination", {});
  (one["events"] as unknown[]).push("x");
  expect(become("combination", {})["events"]).toHaveLength(2);
});

test("alerts a day are counted over what was looked at", () => {
  expect(perDay({ count: 3, looked: { from: "2026-11-01T00:00:00Z", until: "2026-11-11T00:00:00Z" } })).toBe("0.3");
  expect(perDay({ count: 3, looked: { from: "2026-11-01T00:00:00Z", until: "2026-11-01T00:00:00Z" } })).toBe("0");
});
