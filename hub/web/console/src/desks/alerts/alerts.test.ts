import { expect, test, vi } from "vitest";
import { askedOf, fits, readFilter, viewOf } from "./filters";
import { muteAfter, muteAt, muteFor, readMute, writeMute } from "./mute";
import { clockOf, colourAt, compareBy, type Alert } from "./need";
import { arrange, sectionsOf } from "./order";
import { paced } from "./paced";
import { sayReason } from "./reasons";
import { DEFAULTS, Ears, Gate, readChoices, worstOf } from "./ringing";

const T = Date.parse("2026-11-22T03:00:00Z");
const at = (s: number): string => new Date(T + s * 1000).toISOString();
function alert(id: number, changes: Partial<Alert> = {}): Alert {
  return {
    id, rule_id: 1, rule_name: "Offline", condition: "device_offline", severity: "warning", status: "firing", area_id: 2, area_name: "East", device_id: id, device_name: `cam-${id}`,
    point: "", unit: "", channel: "", event_id: null, value: null, reason: "offline for 30 s", started_at: at(-60), fired_at: at(-30), acknowledged_at: null, acknowledged_by: "",
    assigned_to: null, assigned_name: "", assigned_at: null, resolved_at: null, resolved_by: "", resolution: "", folded_into: null, is_storm: false, folded: 0, drill_id: null,
    quiet_until: null, quiet_reason: "", acknowledge_by: null, resolve_by: null, deadline: null, yellow_share: 0.25, colour: "green", ...changes,
  };
}

test("a colour follows the deadline by the second, as the hub reckons", () => {
  const due = alert(1, { fired_at: at(0), deadline: at(100) });
  expect([0, 74, 75, 99, 100].map((s) => colourAt(due, T + s * 1000))).toEqual(["green", "green", "yellow", "yellow", "red"]);
  expect(colourAt(alert(1), T)).toBe("green");
  expect(colourAt({ ...due, status: "resolved" }, T + 200_000)).toBe("green");
  expect([59_000, 299_999, 3_723_000].map(clockOf)).toEqual(["00:59", "04:59", "1:02:03"]);
});

test("red comes first, then severity, then what nobody has, then the newest", () => {
  const all = [
    alert(1, { severity: "info" }), alert(2, { severity: "critical", status: "assigned" }), alert(3, { severity: "critical" }),
    alert(4, { severity: "info", fired_at: at(-90), deadline: at(-1) }), alert(5, { severity: "critical", fired_at: at(-5) }),
  ];
  expect(all.sort(compareBy("need", T)).map((one) => one.id)).toEqual([4, 5, 3, 2, 1]);
  expect(all.sort(compareBy("deadline", T))[0]?.id).toBe(4);
  expect(all.sort(compareBy("oldest", T))[0]?.id).toBe(4);
});

test("a filter is read from an address; nonsense in it narrows nothing", () => {
  const filter = readFilter(new URLSearchParams("area=7&severity=critical&who=me&sort=up&group=x&rule=-3&q=gate&alert=5"));
  expect(filter).toMatchObject({ area: 7, severity: "critical", who: "me", sort: "need", group: "", rule: null, q: "gate" });
  expect(viewOf(new URLSearchParams("area=7&window=1&q=gate"))).toBe("area=7&q=gate");
  expect(askedOf(filter)).toEqual({ drill: true, area: 7, open: true, sort: "severity", limit: 500 });
  expect(askedOf({ ...filter, state: "resolved" })).toMatchObject({ status: "resolved", assigned_to: "me", q: "gate" });
});

test("what a filter shows", () => {
  const around = { me: 9, now: T, isInside: (area: number, of: number) => area === of };
  const shows = (query: string, one: Alert): boolean => fits(one, readFilter(new URLSearchParams(query)), around);
  const cases: [string, Partial<Alert>, boolean][] = [
    ["", {}, true], ["", { status: "resolved" }, false], ["", { folded_into: 4 }, false], ["into=4", { folded_into: 4 }, true],
    ["state=resolved", { status: "resolved" }, true], ["state=taken", {}, false], ["state=taken", { status: "assigned" }, true],
    ["who=me", { assigned_to: 9 }, true], ["who=nobody", { assigned_to: 9 }, false], ["drill=no", { drill_id: 1 }, false], ["drill=only", {}, false],
    ["area=2", {}, true], ["area=3", {}, false], ["q=CAM-1", {}, true], ["q=nothing", {}, false], ["colour=red", { deadline: at(-1) }, true],
  ];
  for (const [query, changes, expected] of cases) expect([query, shows(query, alert(1, changes))]).toEqual([query, expected]);
});

test("the list holds still while something is chosen; what is new waits", () => {
  expect(arrange([1, 2], [3, 2, 1], new Set(), true)).toEqual({ shown: [1, 2], waiting: [3], isStale: true });
  expect(arrange([1, 2], [3, 2, 1], new Set(), false)).toEqual({ shown: [3, 2, 1], waiting: [], isStale: false });
  // What is over stays where it was until its moment is over.
  expect(arrange([1, 2, 4], [1, 4], new Set([2]), true)).toEqual({ shown: [1, 2, 4], waiting: [], isStale: false });
  expect(arrange([1, 2, 4], [4, 1], new Set([2]), false).shown).toEqual([4, 2, 1]);
  expect(arrange([1, 2, 4], [1, 4], new Set(), true).shown).toEqual([1, 4]);
  expect(sectionsOf([5, 1, 6], (id) => (id > 4 ? "b" : "a"))).toEqual([{ key: "b", ids: [5, 6] }, { key: "a", ids: [1] }]);
});

test("a mute ends by itself, or with a critical alert if so chosen", () => {
  const mute = muteFor(5, true, T);
  expect(muteAt(mute, T + 299_999)).toEqual(mute);
  expect(muteAt(mute, T + 300_000)).toBeNull();
  expect(muteAfter(mute, "warning")).toEqual(mute);
  expect(muteAfter(mute, "critical")).toBeNull();
  const stubborn = muteFor(60, false, T);
  expect(muteAfter(stubborn, "critical")).toEqual(stubborn);
  expect(readMute(writeMute(stubborn), T + 1000)).toEqual(stubborn);
  for (const text of [null, "", "x 1", writeMute(muteFor(90, true, T)), writeMute(muteFor(-1, true, T))]) expect(readMute(text, T)).toBeNull();
});

test("an alert calls once each time it fires; what is folded, quiet or an exercise does not", () => {
  const ears = new Ears(T);
  const hear = (one: Alert, s = 1): number[] => ears.hear([one], DEFAULTS, T + s * 1000).map((each) => each.id);
  expect(hear(alert(1))).toEqual([]); // fired before this console was opened
  const fresh = { fired_at: at(1) };
  expect(hear(alert(2, fresh))).toEqual([2]);
  expect(hear(alert(2, { ...fresh, assigned_to: 3 }))).toEqual([]);
  expect(hear(alert(2, { fired_at: at(9) }))).toEqual([2]); // it was opened again
  for (const changes of [{ folded_into: 9 }, { drill_id: 1 }, { severity: "info" as const }, { status: "resolved" as const }]) expect(hear(alert(3, { ...fresh, ...changes }))).toEqual([]);
  const quiet = alert(4, { ...fresh, quiet_until: at(60) });
  expect(hear(quiet)).toEqual([]);
  expect(hear(quiet, 61)).toEqual([4]);
  expect(hear(quiet, 62)).toEqual([]);
  expect(worstOf([alert(1), alert(2, { severity: "critical" })])).toBe("critical");
});

test("many alerts of a moment are one sound, a worse one is heard", () => {
  const gate = new Gate(4000);
  expect([gate.passes("warning", 0), gate.passes("warning", 3999), gate.passes("critical", 3999), gate.passes("critical", 5000), gate.passes("info", 8000)]).toEqual([true, false, true, false, true]);
  expect(readChoices({ critical: "yes", volume: 7, drill: true })).toEqual({ ...DEFAULTS, volume: 1, drill: true });
});

test("what the hub says by itself is said in Chinese; what a person wrote stays", () => {
  const cases: [string, string][] = [
    ["offline for 30 s", "离线已持续 30 秒"],
    ["夜间演练: 12 more in 东村", "夜间演练: 东村另有 12 条"],
    ["33.5 is above 30 for 60 s", "数值 33.5 高于 30，已持续 60 秒"],
    ["behind 交换机, which is down", "其上联 交换机 不通"],
    ["snoozed by 王", "由 王 暂缓"],
    ["neither its rule nor a route names a receiver that is switched on", "规则和路由都没有指定已启用的接收人"],
    ["电源已恢复", "电源已恢复"],
  ];
  for (const [said, shown] of cases) expect(sayReason(said, "zh")).toBe(shown);
  expect(sayReason("offline for 30 s", "en")).toBe("offline for 30 s");
});

test("reading anew is soon after a change and calm under a stream of them", () => {
  vi.useFakeTimers();
  try {
    let reads = 0;
    const again = paced(5000, () => { reads += 1; });
    again.soon();
    vi.advanceTimersByTime(300);
    expect(reads).toBe(1);
    for (let tenth = 0; tenth < 100; tenth++) { again.soon(); vi.advanceTimersByTime(100); }
    expect(reads).toBe(2 + 1);
    again.soon();
    again.stop();
    vi.advanceTimersByTime(9000);
    expect(reads).toBe(3);
  } finally {
    vi.useRealTimers();
  }
});
