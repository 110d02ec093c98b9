import { expect, test } from "vitest";
import { EMPTY, fill, formatLayout, inTurn, neighbour, nextPlace, parseLayout, put, resize, swap, type Layout } from "./layout";

const camera = (id: number) => ({ kind: "camera", id }) as const;
const of = (text: string): Layout => parseLayout(text) ?? EMPTY;

test("a layout goes into an address and comes back", () => {
  expect(of("4_7.a3.0.12").slots).toEqual([camera(7), { kind: "area", id: 3 }, { kind: "none" }, camera(12)]);
  for (const text of ["1_", "4_7.a3.0.12", "9_0.0.5", "25_1"]) expect(formatLayout(of(text))).toBe(text);
});

test("nonsense in an address is no layout, or an empty place", () => {
  for (const text of [null, "", "5_1", "x", "_7"]) expect(parseLayout(text)).toBeNull();
  expect(formatLayout(of("4_<b>.-1.07.1e3.99"))).toBe("4_");
  expect(of("4_1.2.3.4.5.6").slots).toHaveLength(4);
});

test("fewer tiles keep what finds a hole", () => {
  expect(formatLayout(resize(of("9_0.2.0.0.5.0.0.0.9"), 4))).toBe("4_5.2.9");
  expect(formatLayout(resize(of("4_1.2.3.4"), 9))).toBe("9_1.2.3.4");
  expect(formatLayout(resize(of("4_1.2.3.4"), 1))).toBe("1_1");
});

test("tiles are hung, changed about and found by keys", () => {
  expect(formatLayout(put(of("4_1"), 2, camera(8)))).toBe("4_1.0.8");
  expect(formatLayout(swap(of("4_1.2"), 0, 3))).toBe("4_0.2.0.1");
  expect(formatLayout(fill([4, 5, 6, 7, 8]))).toBe("9_4.5.6.7.8");
  expect(fill(Array.from({ length: 90 }, (_none, n) => n + 1)).slots).toHaveLength(25);
  expect(nextPlace(of("4_1.0.3"), 0)).toBe(1);
  expect(nextPlace(of("4_1.2.3.4"), 3)).toBe(0);
  expect(["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "x"].map((key) => neighbour(9, 4, key))).toEqual([5, 7, 3, 1, 4]);
  expect(neighbour(9, 8, "ArrowRight")).toBe(8);
});

test("a sequence shows every camera, and none twice at a time", () => {
  const ids = [1, 2, 3, 4, 5];
  expect([0, 1, 2, 5].map((step) => inTurn(ids, step, 0, 1))).toEqual([1, 2, 3, 1]);
  expect([0, 1, 2, 3].map((place) => inTurn(ids, 1, place, 4))).toEqual([5, 1, 2, 3]);
  expect([0, 1, 2, 3].map((place) => inTurn([1, 2], 7, place, 4))).toEqual([1, 2, null, null]);
  expect(inTurn([], 3, 0, 1)).toBeNull();
});
