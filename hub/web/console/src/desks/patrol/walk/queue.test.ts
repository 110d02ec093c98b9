import { expect, test, vi } from "vitest";
import { Album } from "./album";
import { asksForTask, kindOfKey, lookOf, placeOf, refill, tick, type Item } from "./queue";

const item = (position: number, sha = "a"): Item => ({ round_id: 7, position, picture_sha256: sha, at: "t" }) as Item;
const NONE = { done: new Set<string>(), later: new Set<string>() };
const positions = (items: Item[]): number[] => items.map((one) => one.position);

test("what is on the screen stays, whatever else comes", () => {
  expect(positions(refill(item(2), [item(1), item(2), item(3)], NONE, false))).toEqual([2, 1, 3]);
  expect(positions(refill(item(2), [item(1)], NONE, false))).toEqual([2, 1]);
  expect(positions(refill(item(2), [item(1)], NONE, true))).toEqual([1]);
  expect(refill(item(2), [item(2, "b")], NONE, false)[0]?.picture_sha256).toBe("b");
});

test("what was judged does not come back, what was put off comes last", () => {
  const marks = { done: new Set([lookOf(item(1))]), later: new Set([placeOf(item(2))]) };
  expect(positions(refill(undefined, [item(1), item(2), item(3)], marks, false))).toEqual([3, 2]);
  expect(positions(refill(undefined, [item(1, "new")], marks, false))).toEqual([1]);
});

test("digits answer the checklist, keys name kinds", () => {
  expect(tick([false, true], 1)).toEqual([true, true]);
  expect(tick([false, true], 0)).toEqual([true, true]);
  expect(tick([false, true], 7)).toEqual([false, true]);
  expect(kindOfKey(["a", "b"], "2")).toBe("b");
  expect(kindOfKey(["a", "b"], "Enter")).toBeUndefined();
  expect([asksForTask("waste"), asksForTask("camera_down"), asksForTask("")]).toEqual([true, false, false]);
});

test("pictures are fetched once, ahead, and let go; what failed is asked for again", async () => {
  vi.stubGlobal("URL", { revokeObjectURL: vi.fn() });
  const fetch = vi.fn((path: string) => (path === "bad" ? Promise.reject(new Error("gone")) : Promise.resolve({ src: path } as HTMLImageElement)));
  const album = new Album(fetch);
  const wanted = (path: string) => ({ key: path, path, alt: "" });
  album.hold([wanted("a"), wanted("b")]);
  expect((await album.get(wanted("b"))).src).toBe("b");
  await expect(album.get(wanted("bad"))).rejects.toThrow("gone");
  await expect(album.get(wanted("bad"))).rejects.toThrow("gone");
  expect(fetch.mock.calls.map((call) => call[0])).toEqual(["a", "b", "bad", "bad"]);
  album.hold([wanted("b")]);
  await Promise.resolve();
  expect(URL.revokeObjectURL).toHaveBeenCalledExactlyOnceWith("a");
  vi.unstubAllGlobals();
});
