import { expect, test } from "vitest";
import { readCorners, walkerKind } from "./plan";
import { inChinese } from "./warnings";

test("corners of an outline are read line by line", () => {
  expect(readCorners("120.1, 30.2\n120.2 30.2\n\n120.2，30.3")).toEqual([[120.1, 30.2], [120.2, 30.2], [120.2, 30.3]]);
  expect(readCorners("")).toEqual([]);
  for (const bad of ["120.1, 30.2", "1,2\n3,4\n5", "1,2\n3,4\nx,5", "1,2\n3,4\n5,91"]) expect(readCorners(bad), bad).toBeNull();
});

test("what the hub says of a forecast is said in Chinese, the unknown as it came", () => {
  expect(inChinese("a round takes 1 h 30 min and must be done within 60 min: 30 min too long, and its last stops would be missed")).toBe("一轮用时 1 小时 30 分钟，须在 60 分钟 内完成：超出 30 分钟，最后的点将漏巡。");
  expect(inChinese("a round takes 90 s and the next begins 1 min after it: 30 s too long, and the next would be missed")).toContain("超出 30 秒");
  expect(inChinese("something new")).toBe("something new");
});

test("who walks is one of four", () => {
  expect(walkerKind({ user_id: 7, role: null, is_roster: false })).toBe("person");
  expect(walkerKind({ user_id: null, role: null, is_roster: true })).toBe("roster");
});
