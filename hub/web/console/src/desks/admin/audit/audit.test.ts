import { expect, test } from "vitest";
import { detailOf, fileAddress, pageOf, readQuery } from "./audit";

test("the address says what is asked for, and nonsense in it asks nothing", () => {
  const address = new URLSearchParams("actor=li&area=7&q=%E9%97%A8&limit=9&area_id=3&since=");
  expect(readQuery(address)).toEqual({ actor: "li", area: 7, q: "门" });
  expect(readQuery(new URLSearchParams("area=-1"))).toEqual({});
});

test("the file holds the same lines as the list", () => {
  expect(fileAddress({})).toBe("/api/v1/audit/file");
  expect(fileAddress({ q: "a&b", area: 7 })).toBe("/api/v1/audit/file?q=a%26b&area=7");
});

test("a line leads to what it is about, never to where its text says", () => {
  expect(pageOf("device", "7")).toBe("/devices/7");
  expect(pageOf("device", "//evil.test")).toBeNull();
  expect(pageOf("session", "7")).toBeNull();
});

test("details are plain text", () => {
  expect(detailOf({ name: "<b>Gate", fields: ["a", "b"], count: 3, ok: true, none: null, no: [], nothing: {}, text: "" })).toBe("name: <b>Gate · fields: a, b · count: 3 · ok: true");
  expect(detailOf({})).toBe("");
});
