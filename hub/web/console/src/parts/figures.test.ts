import { expect, test } from "vitest";
import { percent } from "./figures";

test("what is nearly whole is not shown as whole, and nothing is not zero", () => {
  expect(percent(0.99999)).toBe("99.99 %");
  expect(percent(1)).toBe("100.00 %");
  expect(percent(null)).toBe("—");
  expect(percent(0, 0)).toBe("0 %");
});
