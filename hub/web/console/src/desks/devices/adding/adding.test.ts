import { describe, expect, it } from "vitest";
import { firstName, inOrder, numbered, type Find } from "./finds";
import { hostsOf, readPorts, readRanges } from "./ranges";
import { badRowsCsv, faultsOf, toCsv, twice } from "./sheet";

const find = (more: Partial<Find>): Find => ({ id: 1, host: "10.0.0.1", port: 80, protocol: "onvif", address: "", name: "", manufacturer: "", model: "", serial: "", firmware: "", login: "fits", credential: 0, trouble: "", known: false, device_id: null, device_name: "", ...more });

describe("ranges", () => {
  it("are read with any separator and counted as the hub counts them", () => {
    expect(readRanges("192.168.1.0/24，10.0.0.7\n10.0.0.7")).toEqual({ ranges: ["192.168.1.0/24", "10.0.0.7"], addresses: 255, wrong: [] });
    expect(hostsOf("10.0.0.0/16")).toBe(65_534);
    expect(hostsOf("10.0.0.0/31")).toBe(2);
    expect(readRanges("10.0.0.256 file:///x 10.0.0.0/33 1.2.3").wrong).toEqual(["10.0.0.256", "file:///x", "10.0.0.0/33", "1.2.3"]);
    expect(readPorts("80, 8000 80")).toEqual([80, 8000]);
    expect(readPorts("0")).toBeNull();
  });
});

describe("finds", () => {
  it("stand in the order in which they matter, addresses as numbers", () => {
    const all = [find({ id: 1, trouble: "no" }), find({ id: 2, known: true }), find({ id: 3, host: "10.0.0.10" }), find({ id: 4, host: "10.0.0.9" })];
    expect(inOrder(all).map((one) => one.id)).toEqual([4, 3, 2, 1]);
  });
  it("get a name to begin with", () => {
    expect(firstName(find({ manufacturer: "Hik", model: "T1" }))).toBe("Hik T1 10.0.0.1");
    expect(firstName(find({ name: " West gate " }))).toBe("West gate");
    expect(numbered("Gate", 10)[0]).toBe("Gate 01");
    expect(numbered("村口", 2)).toEqual(["村口1", "村口2"]);
  });
});

describe("a file", () => {
  const columns = [{ heading: "名称", name: "name" }, { heading: "颜色", name: "" }, { heading: "密码", name: "password" }];
  const rows = [{ line: 2, cells: ["a\nb", "red", "=1"] }, { line: 5, cells: ["=x", "blue", '"'] }];
  it("is sent under our names, and faults come back to their rows", () => {
    const { text, lines } = toCsv(columns, rows);
    expect(text).toBe('name,password\n"a\nb",=1\n=x,""""\n');
    expect(lines).toEqual([2, 4]);
    const faults = faultsOf([{ line: 4, column: "name", reason: "is empty" }, { line: 4, column: "-", reason: "no" }], lines);
    expect([...(faults.get(1) ?? [])]).toEqual([["name", ["is empty"]], ["-", ["no"]]]);
    const out = badRowsCsv(columns, rows, faults, (reason) => reason, "why");
    expect(out).toContain("'=x,blue,\"\"\"\",name: is empty / no");
  });
  it("names no column twice", () => {
    expect(twice(columns)).toBe("");
    expect(twice([...columns, { heading: "x", name: "name" }])).toBe("name");
  });
});
