import { expect, test } from "vitest";
import { addUp, known, worstFirst, type Summary } from "./figures";

const one = (name: string, by_status: Record<string, number>, started_at = ""): Summary => {
  const managed = Object.values(by_status).reduce((sum, count) => sum + count, 0);
  const answering = (by_status["online"] ?? 0) + (by_status["degraded"] ?? 0);
  return {
    area: { id: name.length, parent_id: null, code: name, name, path: name },
    managed, by_status, first_faults: { network: by_status["offline"] ?? 0 }, behind_parents: 1, flapping: 0, open_alerts: 2,
    online_now: managed ? answering / managed : null, intact_now: managed ? (by_status["online"] ?? 0) / managed : null,
    longest_outage: started_at ? { device_id: 1, device_name: "a", started_at } : null,
  };
};

test("areas add up; unknown devices are neither good nor away", () => {
  const sum = addUp([one("east", { online: 6, degraded: 1, unknown: 3 }, "2026-01-02"), one("west", { offline: 10 }, "2026-01-01"), one("none", {})]);
  expect(sum).toMatchObject({ managed: 20, online_now: 0.35, intact_now: 0.3, behind_parents: 3, open_alerts: 6, first_faults: { network: 10 } });
  expect(sum.longest_outage?.started_at).toBe("2026-01-01");
  expect(known(one("east", { online: 7, unknown: 3 }))).toBeCloseTo(0.7);
  expect(known(one("none", {}))).toBeNull();
});

test("the worst area comes first, one without devices last", () => {
  const all = [one("none", {}), one("good", { online: 4 }), one("bad", { online: 1, offline: 1 })];
  expect(worstFirst(all).map((area) => area.area.name)).toEqual(["bad", "good", "none"]);
});
