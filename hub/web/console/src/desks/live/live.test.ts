import { expect, test } from "vitest";
import { Pace, planSteps, retryAfterMs } from "./buffer";
import { decode, encode } from "./g711";
import { parseMessage } from "./messages";
import { judge, type Facts } from "./verdict";
import { shift, WHOLE, zoomAt } from "./zoom";

test("it plays near the end of what is buffered, catches up gently, and jumps when far behind", () => {
  expect(planSteps(0, [])).toEqual({ seek: null, isLost: false, rate: 1, forget: null });
  expect(planSteps(9.7, [{ start: 0, end: 10 }])).toEqual({ seek: null, isLost: false, rate: 1, forget: null });
  expect(planSteps(9.4, [{ start: 0, end: 10 }]).rate).toBeCloseTo(1.08);
  expect(planSteps(9, [{ start: 0, end: 10 }]).rate).toBeCloseTo(1.35);
  expect(planSteps(8, [{ start: 0, end: 10 }])).toEqual({ seek: 9.65, isLost: false, rate: 1, forget: null });
});

test("it leaps over a gap, into a timeline that began anew, and never before the first picture", () => {
  expect(planSteps(3, [{ start: 0, end: 3 }, { start: 500, end: 500.2 }])).toMatchObject({ seek: 500, isLost: true });
  expect(planSteps(0, [{ start: 90_000, end: 90_001 }]).seek).toBeCloseTo(90_000.65);
  expect(planSteps(700, [{ start: 0, end: 2 }]).seek).toBeCloseTo(1.65);
});

test("it forgets what is long past, and keeps more than any group of pictures", () => {
  expect(planSteps(35, [{ start: 0, end: 35.3 }]).forget).toBeNull();
  expect(planSteps(50, [{ start: 0, end: 50.3 }]).forget).toBe(20);
});

test("tries to connect come further and further apart, up to a bound", () => {
  const waits = [0, 1, 2, 3, 20].map((tries) => retryAfterMs(tries, 0.5));
  expect(waits).toEqual([500, 1000, 2000, 4000, 10_000]);
  expect(retryAfterMs(0, 0)).toBeLessThan(retryAfterMs(0, 1));
});

test("a slow camera is given more patience, within bounds", () => {
  const pace = new Pace();
  expect(pace.patienceMs).toBe(2000);
  for (let at = 1; at < 40; at++) pace.heard(at * 40);
  expect(pace.patienceMs).toBe(2000);
  pace.forget();
  for (let at = 1; at < 9; at++) pace.heard(at * 2000);
  expect(pace.patienceMs).toBe(6000);
  pace.heard(10_000_000);
  expect(pace.patienceMs).toBeLessThanOrEqual(8000);
});

const good: Facts = {
  now: 100_000, shownAt: 99_900, heardAt: 99_500, turnedAt: 50_000, mode: "video", picturesWhy: null, patienceMs: 2000,
  hub: { state: "live", since: 60_000, why: "", layer: null }, isResting: false, ended: null, refused: null,
};

test("live is only what is seen to move here", () => {
  expect(judge(good).word).toBe("live");
  expect(judge({ ...good, shownAt: 97_900 })).toMatchObject({ word: "frozen", since: 97_900 });
  expect(judge({ ...good, hub: { state: "frozen", since: 99_000, why: "nothing comes", layer: null } })).toMatchObject({ word: "frozen", why: "nothing comes" });
  expect(judge({ ...good, shownAt: null }).word).toBe("connecting");
  expect(judge({ ...good, shownAt: 97_900, patienceMs: 4000 }).word).toBe("live");
});

test("what is not live says since when and why", () => {
  const off = { state: "offline", since: 91_000, why: "refused", layer: "credentials" } as const;
  expect(judge({ ...good, hub: off })).toEqual({ word: "offline", since: 91_000, why: "refused", layer: "credentials" });
  expect(judge({ ...good, heardAt: 96_000 })).toMatchObject({ word: "lost", since: 99_900 });
  expect(judge({ ...good, heardAt: null, turnedAt: 99_800, shownAt: null }).word).toBe("connecting");
  expect(judge({ ...good, heardAt: null, turnedAt: 99_800 }).word).toBe("lost");
  expect(judge({ ...good, isResting: true })).toMatchObject({ word: "resting", since: 99_900 });
  expect(judge({ ...good, ended: "gone" })).toMatchObject({ word: "ended", why: "gone" });
  expect(judge({ ...good, refused: "no such device" })).toMatchObject({ word: "refused", why: "no such device" });
});

test("pictures say that they are pictures, and age more slowly", () => {
  const pictures: Facts = { ...good, mode: "pictures", picturesWhy: "codec", shownAt: 97_000 };
  expect(judge(pictures)).toMatchObject({ word: "pictures", why: "codec" });
  expect(judge({ ...pictures, shownAt: 94_000 }).word).toBe("frozen");
});

test("what the hub says is read, what is unknown is passed over", () => {
  expect(parseMessage('{"type":"pictures","why":"masked"}')).toEqual({ type: "pictures", why: "masked" });
  for (const text of ["", "{", "null", "7", '{"kind":"beat"}', '{"type":"constructor"}']) expect(parseMessage(text)).toBeNull();
});

test("zooming keeps the point under the mouse, and no edge comes into view", () => {
  const near = zoomAt(WHOLE, 2, { x: 0.25, y: -0.25 });
  expect(near).toEqual({ scale: 2, x: -0.25, y: 0.25 });
  expect(shift(near, 5, 5)).toEqual({ scale: 2, x: 0.5, y: 0.5 });
  expect(zoomAt(near, 0.01, { x: 0.4, y: 0.4 })).toEqual(WHOLE);
  expect(zoomAt(near, 1000, { x: 0, y: 0 }).scale).toBe(8);
});

test("sound goes to G.711 and back with little lost, and silence stays silence", () => {
  const samples = Float32Array.from({ length: 400 }, (_none, n) => Math.sin(n / 7) * Math.min(1, n / 300));
  for (const codec of ["pcma", "pcmu"] as const) {
    const back = decode(codec, encode(codec, samples));
    const worst = Math.max(...samples.map((sample, n) => Math.abs(sample - (back[n] ?? 9)) / Math.max(0.02, Math.abs(sample))));
    expect(worst).toBeLessThan(0.06);
    expect(encode(codec, decode(codec, Uint8Array.from({ length: 256 }, (_none, n) => n)))).toHaveLength(256);
  }
  expect([...encode("pcma", Float32Array.of(0))]).toEqual([0xd5]);
  expect([...encode("pcmu", Float32Array.of(0))]).toEqual([0xff]);
});
