// A file of devices as rows that can be corrected here, and as the CSV that the hub is sent.
import type { Schemas } from "$/hub/api";

export type Preview = Schemas["ImportPreviewOut"];
export type Outcome = Schemas["ImportOut"];
export interface Row { line: number; cells: string[] }
/** A column of the file: its heading, and our name for it ("" leaves it out). */
export interface Column { heading: string; name: string }
/** Faults of rows: row -> column name ("-" for the whole row) -> sentences. */
export type Faults = ReadonlyMap<number, ReadonlyMap<string, readonly string[]>>;

export const WHOLE_ROW = "-";
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;
const PASSWORD = "password";

export function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** The file as it is sent, under our names, and on which line of it each row begins. */
export function toCsv(columns: readonly Column[], rows: readonly Row[]): { text: string; lines: number[] } {
  const kept = columns.flatMap((column, at) => (column.name ? [at] : []));
  const parts = [kept.map((at) => columns[at]?.name ?? "").join(",") + "\n"];
  const lines: number[] = [];
  let line = 2;
  for (const row of rows) {
    lines.push(line);
    const text = kept.map((at) => quoted(row.cells[at] ?? "")).join(",");
    // A row of nothing but empty cells is no row to the hub, and must not move the others.
    parts.push(text + "\n");
    line += 1 + (text.match(/\r\n|\r|\n/g)?.length ?? 0);
  }
  return { text: parts.join(""), lines };
}

/** Which rows are at fault, by their place in the table. */
export function faultsOf(refused: Outcome["refused"], lines: readonly number[]): Faults {
  const places = new Map(lines.map((line, at) => [line, at]));
  const found = new Map<number, Map<string, string[]>>();
  for (const bad of refused) {
    const at = places.get(bad.line);
    if (at === undefined) continue;
    const row = found.get(at) ?? new Map<string, string[]>();
    row.set(bad.column, [...(row.get(bad.column) ?? []), bad.reason]);
    found.set(at, row);
  }
  return found;
}

/** Rows to hand out as a file of their own, what is wrong with each in a last column. */
export function badRowsCsv(columns: readonly Column[], rows: readonly Row[], faults: Faults, saying: (reason: string) => string, heading: string): string {
  const head = [...columns.map((column) => column.heading), heading].map(quoted).join(",");
  const body = [...faults.keys()].sort((a, b) => a - b).map((at) => {
    const row = rows[at];
    const why = [...(faults.get(at) ?? [])].map(([column, reasons]) => `${column === WHOLE_ROW ? "" : `${column}: `}${reasons.map(saying).join("; ")}`).join(" / ");
    // A password is handed out as it stands: no spreadsheet gives back what was put before it.
    return [...columns.map((column, place) => (column.name === PASSWORD ? (row?.cells[place] ?? "") : inert(row?.cells[place] ?? ""))), inert(why)].map(quoted).join(",");
  });
  return `\ufeff${[head, ...body].join("\r\n")}\r\n`;
}

/** What a spreadsheet would take for a formula, as text; the hub takes the quote back. */
export const inert = (cell: string): string => (FORMULA.test(cell) ? `'${cell}` : cell);

/** An empty file with the columns most need, and a row that shows how they are filled. */
export function templateCsv(chinese: boolean): string {
  const COLUMNS: readonly [string, string, string][] = [
    ["code", "设备编码", ""], ["name", "名称", "East gate"], ["area", "所属区划", "330402001"], ["protocol", "接入协议", "onvif"], ["address", "接入地址", "http://192.168.1.64"],
    ["username", "用户名", "admin"], ["password", "密码", ""], ["class", "设备类别", ""], ["team", "维护单位", ""], ["place", "安装地址", ""], ["parent", "上级设备", ""], ["longitude", "经度", ""], ["latitude", "纬度", ""],
  ];
  return `\ufeff${COLUMNS.map((one) => one[chinese ? 1 : 0]).join(",")}\r\n${COLUMNS.map((one) => one[2]).join(",")}\r\n`;
}

/** What the same column is called twice as, if any: the hub takes no such file. */
export function twice(columns: readonly Column[]): string {
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (name && seen.has(name)) return name;
    seen.add(name);
  }
  return "";
}
