import { expect, test } from "vitest";
import { fits, mayMove } from "./changes";
import { moveColumn, readColumns, toggleColumn, USUAL } from "./columns";
import { chosen, parseQuery, showQuery, type Line } from "./query";
import { chooseAll, chooseUpTo, NOTHING, toggle } from "./selection";

const line = { id: 7, name: "桥头 Cam", code: "", address: "http://10.0.0.7/", place: "", status: "offline", layer: "network", since: "2026-11-22T01:00:00Z",
  area_id: 3, kind: "camera", class: "road", team: "", manufacturer: "", model: "", firmware: "", registration: "approved", behind_id: null, parent_id: 2, is_flapping: false } as unknown as Line;
const below = (area: number, top: number): boolean => area === top || (area === 3 && top === 1);

test("an address becomes a query and back, whatever order its parts are in", () => {
  const text = "area=3&class=&flapping=true&placed=false&q=%E6%A1%A5&status=offline&status=unknown&sort=since&desc=true";
  const query = parseQuery(new URLSearchParams(text));
  expect(query).toEqual({ filter: { area: 3, class: "", flapping: true, placed: false, q: "桥", status: ["offline", "unknown"] }, sort: "since", desc: true });
  expect(parseQuery(new URLSearchParams(showQuery(query)))).toEqual(query);
  expect(showQuery(parseQuery(new URLSearchParams("desc=true&status=unknown&sort=since&status=offline&q=桥&flapping=true&area=3&placed=false&class=")))).toBe(showQuery(query));
  expect(chosen(query.filter)).not.toContain("q");
});
test("what makes no sense in an address is left out", () => {
  const query = parseQuery(new URLSearchParams("area=-1&behind=9e9&status=good&layer=<b>&sort=name;drop&q=%00&flapping=maybe&kind=drone&tag="));
  expect(query).toEqual({ filter: {}, sort: "name", desc: false });
  expect(showQuery(query)).toBe("");
});
test("columns are those that are known, once, with the name; they move and stay at the edges", () => {
  expect(readColumns(null)).toEqual(USUAL);
  expect(readColumns("nothing,of,it")).toEqual(USUAL);
  expect(readColumns("team,team,<b>,state")).toEqual(["name", "team", "state"]);
  expect(readColumns(["state", "name", 7])).toEqual(["state", "name"]);
  expect(moveColumn(["name", "state", "team"], "team", -1)).toEqual(["name", "team", "state"]);
  expect(moveColumn(["name", "state"], "state", 1)).toEqual(["name", "state"]);
  expect(toggleColumn(["name", "state"], "state")).toEqual(["name"]);
  expect(toggleColumn(["name"], "name")).toEqual(["name"]);
  expect(toggleColumn(["name"], "area")).toEqual(["name", "area"]);
});
test("a range goes from where the last choice was, both ways, and adds to what is chosen", () => {
  const order = [50, 40, 30, 20, 10];
  const one = toggle(NOTHING, 40);
  const some = chooseUpTo(one, order, 20);
  expect([...some.ids]).toEqual([40, 30, 20]);
  expect([...chooseUpTo(some, order, 50).ids].sort()).toEqual([20, 30, 40, 50]);
  expect([...toggle(some, 30).ids]).toEqual([40, 20]);
  expect([...chooseUpTo(NOTHING, order, 30).ids]).toEqual([30]);
  expect(chooseUpTo(one, order, 99)).toEqual(one);
  // The anchor left the list since: the device alone.
  expect([...chooseUpTo(toggle(NOTHING, 99), order, 10).ids]).toEqual([99, 10]);
  expect(chooseAll(order).ids.size).toBe(5);
});
test("a filter is known to fit, not to fit, or not known", () => {
  expect(fits(line, { area: 1, status: ["offline"], parent: 2, class: "road", team: "" }, below)).toBe(true);
  expect(fits(line, { area: 4 }, below)).toBe(false);
  expect(fits(line, { status: ["online"], tag: "x" }, below)).toBe(false);
  expect(fits(line, { q: "cam" }, below)).toBe(true);
  expect(fits(line, { q: "SN-1" }, below)).toBeNull();
  expect(fits(line, { picture: "blur" }, below)).toBeNull();
});
test("only what moves a row, brings it in or takes it out counts as a move", () => {
  const bySince = { filter: {}, sort: "since", desc: true } as const;
  const byName = { filter: { status: ["offline"] as "offline"[] }, sort: "name", desc: false } as const;
  const back = { ...line, status: "online", since: "2026-11-22T02:00:00Z" };
  expect(mayMove(back, line, true, bySince, below)).toBe(true);
  expect(mayMove({ ...line, detail: "x" }, line, true, bySince, below)).toBe(false);
  expect(mayMove(line, undefined, true, bySince, below)).toBe(true);
  expect(mayMove(line, undefined, true, byName, below)).toBe(false);
  expect(mayMove(back, line, true, byName, below)).toBe(true);
  expect(mayMove(back, undefined, false, byName, below)).toBe(false);
  expect(mayMove(line, undefined, false, byName, below)).toBe(true);
  expect(mayMove({ ...line, name: "a" }, line, true, { filter: {}, sort: "number", desc: false }, below)).toBe(false);
});
