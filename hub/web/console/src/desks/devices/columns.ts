// The columns of the table: which there are, how wide, which of them a person wants in what order.
import type { Sort } from "./query";

export const COLUMNS = {
  name: { sort: "name", least: 180, share: 2 },
  state: { sort: "status", least: 220, share: 2 },
  since: { sort: "since", least: 180, share: 1 },
  area: { sort: "area", least: 100, share: 1 },
  place: { sort: "place", least: 110, share: 1 },
  address: { sort: "address", least: 200, share: 1 },
  kind: { sort: "kind", least: 90, share: 0 },
  class: { sort: "class", least: 100, share: 0 },
  team: { sort: "team", least: 110, share: 0 },
  manufacturer: { sort: "manufacturer", least: 110, share: 0 },
  model: { sort: "model", least: 120, share: 0 },
  firmware: { sort: "firmware", least: 190, share: 0 },
  code: { sort: "code", least: 190, share: 0 },
  parent: { sort: null, least: 130, share: 1 },
  clock: { sort: null, least: 110, share: 0 },
  registration: { sort: null, least: 100, share: 0 },
  number: { sort: "number", least: 80, share: 0 },
} as const satisfies Record<string, { sort: Sort | null; least: number; share: number }>;
export type Column = keyof typeof COLUMNS;
export const ALL_COLUMNS = Object.keys(COLUMNS) as Column[];
export const USUAL: readonly Column[] = ["name", "state", "since", "area", "place", "model"];

/** Columns from what was kept or linked: unknown ones and doubles are left out; the name is always there. */
export function readColumns(said: unknown): Column[] {
  const names = typeof said === "string" ? said.split(",") : Array.isArray(said) ? said : [];
  const known = [...new Set(names)].filter((one): one is Column => ALL_COLUMNS.includes(one as Column));
  if (!known.length) return [...USUAL];
  return known.includes("name") ? known : ["name", ...known];
}

/** Move a column one place on (1) or back (-1); at the edge it stays. */
export function moveColumn(columns: readonly Column[], column: Column, step: 1 | -1): Column[] {
  const from = columns.indexOf(column);
  const to = from + step;
  if (from < 0 || to < 0 || to >= columns.length) return [...columns];
  const moved = [...columns];
  moved.splice(from, 1);
  moved.splice(to, 0, column);
  return moved;
}

/** Show a column, at the end, or hide it; the name stays. */
export function toggleColumn(columns: readonly Column[], column: Column): Column[] {
  if (!columns.includes(column)) return [...columns, column];
  return column === "name" ? [...columns] : columns.filter((one) => one !== column);
}

const CHOOSE = 36;
const ACTS = 76;

/** The tracks of a row: each column has its least width in px, and a share of what is left. */
export function templateOf(columns: readonly Column[]): string {
  const tracks = columns.map((column) => {
    const { least, share } = COLUMNS[column];
    return share ? `minmax(${least}px, ${share}fr)` : `${least}px`;
  });
  return [`${CHOOSE}px`, ...tracks, `${ACTS}px`].join(" ");
}
/** Narrower than this the table is moved sideways. */
export const widthOf = (columns: readonly Column[]): number => CHOOSE + ACTS + columns.reduce((sum, column) => sum + COLUMNS[column].least, 0);
