import { expect, test } from "vitest";
import { changedMeanwhile, check, fromForm, merge, toForm, type AssetRecord } from "./record";

const record: AssetRecord = { mac: "", port: 80, longitude: 120.5, latitude: 30.5, ptz_type: "fixed_dome", position_type: null, room: null, purpose: null, light: null, direction: null, resolution: "", mount_height_m: null, installed_on: "2026-01-31", warranty_until: null, owner: "", notes: "x\ny" };

test("a record goes through the form unchanged", () => {
  expect(fromForm(toForm(record))).toEqual(record);
});
test("what is no number reaches the hub as it was typed, and a MAC in the hub's form", () => {
  const sent = fromForm({ ...toForm(record), port: "eighty", mac: " 00-1A-2B-3C-4D-5E ", mount_height_m: " 4.5 " });
  expect(sent).toMatchObject({ port: "eighty", mac: "00:1a:2b:3c:4d:5e", mount_height_m: 4.5 });
});
test("what others changed meanwhile is taken over where nothing was typed, and named", () => {
  const now: AssetRecord = { ...record, owner: "镇政府", port: 554 };
  const form = { ...toForm(record), port: "8080" };
  expect(changedMeanwhile(record, now)).toEqual(["port", "owner"]);
  expect(merge(form, record, now)).toMatchObject({ owner: "镇政府", port: "8080" });
});
test("what is wrong is said beside its field before it is sent", () => {
  const say = { whole: "whole", number: "number", range: (low: number, high: number) => `${low}..${high}`, pair: "pair", mac: "mac" };
  expect(check(toForm(record), say)).toEqual({});
  const form = { ...toForm(record), port: "70000", longitude: "", latitude: "north", mount_height_m: "-1", mac: "00:1a" };
  expect(check(form, say)).toEqual({ port: "whole", longitude: "pair", latitude: "number", mount_height_m: "0..1000", mac: "mac" });
  expect(check({ ...toForm(record), mac: "00-1A-2B-3C-4D-5E", latitude: "91" }, say)).toEqual({ latitude: "-90..90" });
});
