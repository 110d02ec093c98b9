import { expect, test } from "vitest";
import { graticule, middleOf, scaleOf, showLength } from "$/parts/map/geography";
import { firstBounds, signOf } from "$/parts/map/places";
import { STATES } from "$/parts/map/signs";
import { depthAt, judge, showRate, type Outline } from "./areas";
import { countFitting, guessProperty, lookInto, nameOf } from "./outlineFile";
import { readPlace, writePlace } from "./place";
import { PointTable, type Narrowing } from "./points";

const table = (): PointTable => new PointTable({
  states: ["offline", "online", "asleep"], kinds: ["camera", "sensor"], unplaced: 3,
  ids: [7, 8, 9], lon: [120_500_000, 120_600_000, 120_700_000], lat: [30_500_000, 30_600_000, 30_700_000], state: [1, 0, 2], kind: [0, 0, 1], areas: [1, 2, 2],
});
const every: Narrowing = { states: new Set(STATES), areas: null, kind: "" };

test("the hub's numbers for states are read by their names; one that is not known is unknown, not good", () => {
  expect(table().count(every)).toEqual({ online: 1, offline: 1, degraded: 0, unknown: 1, maintenance: 0 });
  expect(table().state(9)).toBe("unknown");
  expect(table().at(8)).toEqual([120.6, 30.6]);
});
test("a map is narrowed by state, area and kind; counts of states are of all states", () => {
  const points = table();
  const cameras: Narrowing = { states: new Set(["offline"]), areas: new Set([2]), kind: "camera" };
  expect(points.features(cameras).map((one) => one.id)).toEqual([8]);
  expect(points.count({ ...cameras, kind: "sensor" }).unknown).toBe(1);
  expect(points.within({ west: 120.55, south: 30, east: 121, north: 31 }, every)).toEqual({ all: 2, bad: 1 });
  expect(points.bounds({ ...every, areas: new Set([5]) })).toBeNull();
});
test("only news are told to the map, with state and alert", () => {
  const points = table();
  expect([points.setState(7, "online"), points.setState(7, "degraded"), points.setState(4, "offline")]).toEqual([false, true, false]);
  expect(points.setAlerts(new Map([[7, 3], [4, 1]]))).toEqual([7]);
  expect(points.changes([7, 4])).toEqual([{ id: 7, addOrUpdateProperties: [{ key: "s", value: 2 }, { key: "a", value: 3 }] }]);
  expect(points.setAlerts(new Map())).toEqual([7]);
});
test("an area is judged by its target, and not at all while too little is known", () => {
  const rate = (answering: number, unknown = 0) => ({ area_id: 1, managed: 1000, answering, unknown, online_now: answering / 1000 });
  expect([rate(990), rate(989), rate(950), rate(949), rate(940, 51)].map((one) => judge(one))).toEqual(["good", "warn", "warn", "bad", "unknown"]);
  expect(judge(undefined)).toBe("unknown");
  expect([1, 0.99999, 0.9745, 0].map(showRate)).toEqual(["100.0 %", "99.9 %", "97.4 %", "0.0 %"]);
});
test("the level of areas follows the zoom, and one level is always shown", () => {
  const outline = (depth: number, span: number): Outline => ({ area_id: depth, name: "", depth, box: [120, 30, 120 + span, 31], coordinates: [] });
  const outlines = [outline(1, 0.5), outline(2, 0.1), outline(3, 0.02)];
  expect([5, 9.7, 13].map((zoom) => depthAt(zoom, outlines))).toEqual([1, 2, 3]);
  expect(depthAt(9, [])).toBeNull();
});
test("a name stands in the middle of the largest part of an area", () => {
  const square = (at: number, size: number) => [[[at, at], [at + size, at], [at + size, at + size], [at, at + size], [at, at]]];
  expect(middleOf([square(1, 1), square(10, 4)])).toEqual([12, 12]);
});
test("a net of degrees has a few lines at any zoom, a scale is a round length", () => {
  for (const span of [0.01, 0.3, 7, 300]) {
    const lines = graticule({ west: 0, south: 0, east: span, north: span / 2 }).features.length;
    expect(lines).toBeGreaterThan(4);
    expect(lines).toBeLessThan(24);
  }
  const scale = scaleOf(10, 30);
  expect(scale.pixels).toBeLessThanOrEqual(110);
  expect(showLength(scale.metres)).toBe("5 km");
  expect(showLength(200)).toBe("200 m");
});
test("a place in an address is one or none", () => {
  expect(readPlace(writePlace({ lon: 120.7654321, lat: 30.5, zoom: 12.3456 }))).toEqual({ lon: 120.76543, lat: 30.5, zoom: 12.35 });
  for (const wrong of [null, "", "1,2", "1,2,x", "200,0,3", "1,,3", "1,2,3,4", "NaN,1,1"]) expect(readPlace(wrong)).toBeNull();
});
test("signs say state, deadline and kind by their shape's name", () => {
  const at = { id: 1, lon: 1, lat: 1 };
  expect(["online", "offline", "asleep"].map((status) => signOf({ ...at, status }))).toEqual(["state-0", "state-1", "state-3"]);
  expect([signOf({ ...at, sign: "task", colour: "red" }), signOf({ ...at, sign: "unit" })]).toEqual(["task-red", "unit"]);
  expect(firstBounds([at], [[3, 2]], null)).toEqual({ west: 1, south: 1, east: 3, north: 2 });
  expect(firstBounds([], [], null)).toBeNull();
  const square = (size: number) => [[[[1, 1], [1 + size, 1], [1 + size, 1 + size], [1, 1]]]];
  expect(firstBounds([at], [], square(0.05))).toEqual({ west: 1, south: 1, east: 1.05, north: 1.05 });
  expect(firstBounds([at], [], square(2))?.east).toBeLessThan(1.01);
  expect(firstBounds([], [], square(2))?.east).toBe(3);
});
test("a file of outlines is looked into: the property that names most areas is proposed", () => {
  const feature = (properties: object, more: object = {}) => ({ type: "Feature", properties, ...more });
  const looked = lookInto(JSON.stringify({ type: "FeatureCollection", features: [feature({ name: "青龙镇", adcode: 330402001, level: "town" }), feature({ name: "x", adcode: "330402002" }), feature({}, { id: "330402003" })] }));
  const codes = new Set(["330402001", "330402002", "330402009"]);
  if (!looked) throw new Error("not read");
  expect(looked.properties).toEqual(["name", "adcode", "level", "id"]);
  expect(guessProperty(looked, codes)).toBe("adcode");
  expect(countFitting(looked, "adcode", codes)).toBe(2);
  expect(nameOf(looked, 0, "adcode")).toBe("青龙镇 · 330402001");
  for (const wrong of ["", "[]", "{}", '{"type":"FeatureCollection","features":[]}', '{"type":"Feature"}']) expect(lookInto(wrong)).toBeNull();
});
