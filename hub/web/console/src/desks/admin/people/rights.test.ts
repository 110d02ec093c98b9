import { expect, test } from "vitest";
import { rightsOf } from "./rights";

const town = { area_id: 1, area_path: "c.t" };
const village = { area_id: 2, area_path: "c.t.v" };
const beside = { area_id: 3, area_path: "c.t2" };

test("a role says what may be done where, and an area below another adds nothing", () => {
  const rights = rightsOf([{ role: "operator", ...town }, { role: "viewer", ...village }, { role: "maintainer", ...beside }]);
  expect(rights).toEqual([
    { permission: "see", areas: [1, 3] },
    { permission: "operate", areas: [1] },
    { permission: "maintain", areas: [3] },
  ]);
});

test("without roles, or with one that this page does not know, nothing is promised", () => {
  expect(rightsOf([])).toEqual([]);
  expect(rightsOf([{ role: "emperor", ...town }])).toEqual([]);
});

test("an administrator may do everything, in each area once", () => {
  const rights = rightsOf([{ role: "admin", ...town }, { role: "operator", ...town }]);
  expect(rights).toHaveLength(6);
  expect(rights.every((one) => one.areas.length === 1)).toBe(true);
});
