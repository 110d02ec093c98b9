import { expect, test } from "vitest";
import { findRoute, type Route } from "./routes";

const load = () => Promise.reject(new Error("not loaded here"));
const routes: Route[] = [
  { pattern: "/", needs: null, load },
  { pattern: "/devices/add", needs: null, load },
  { pattern: "/devices/:id", needs: null, load },
];

test("a path finds the first pattern that it fits, and its parts", () => {
  expect(findRoute("/", routes)?.route.pattern).toBe("/");
  expect(findRoute("/devices/add", routes)?.route.pattern).toBe("/devices/add");
  expect(findRoute("/devices/7/", routes)).toMatchObject({ route: { pattern: "/devices/:id" }, params: { id: "7" } });
  expect(findRoute("/devices/%3Cb%3E", routes)?.params).toEqual({ id: "<b>" });
  expect(findRoute("/devices", routes)).toBeNull();
  expect(findRoute("/devices/7/8", routes)).toBeNull();
});
