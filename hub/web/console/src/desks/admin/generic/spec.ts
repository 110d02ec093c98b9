// How a collection of the hub is described to the one list and the one form that show all of them.
import type { Topic } from "$/hub/live.svelte";
import type { Permission } from "$/hub/session.svelte";

export type Shape = Record<string, unknown>;
export interface Option { value: string | number | boolean | null; label: string; note?: string }
export type LookupName = "receivers" | "rules" | "people" | "profiles";
type Texts = () => string;
type Options = (draft: Shape) => readonly Option[];

interface Common {
  /** Where in the body: "name", "options.address". */
  name: string;
  label?: Texts;
  hint?: (draft: Shape, isNew: boolean) => string;
  required?: boolean;
  /** Shown only while this holds. */
  when?: (draft: Shape, isNew: boolean) => boolean;
  /** Cannot be changed once it is stored. */
  fixed?: boolean;
}
export type Field = Common & (
  | { kind: "text"; max?: number; rows?: number; list?: () => readonly string[] }
  | { kind: "secret"; max?: number }
  | { kind: "number"; min?: number; max?: number; step?: number }
  | { kind: "share" }
  | { kind: "seconds"; min?: number; max?: number }
  | { kind: "area"; all?: boolean }
  | { kind: "device"; of?: "speaker" | "camera" }
  | { kind: "devices" }
  | { kind: "one"; options: Options }
  | { kind: "some"; options: Options }
  | { kind: "look"; of: LookupName; many?: boolean }
  | { kind: "switch" } | { kind: "tags" } | { kind: "hours" } | { kind: "moment" } | { kind: "date" } | { kind: "matcher" } | { kind: "steps" } | { kind: "thresholds" }
);

export interface Column<Row> {
  label: Texts;
  text(row: Row): string;
  /** A state beside the words: its tone and sign. */
  mark?(row: Row): { tone: "good" | "bad" | "warn" | "unknown" | "planned" | "info"; shape: string } | null;
  /** What stands below it, small. */
  sub?(row: Row): string;
  /** Never broken over lines. */
  isNarrow?: boolean;
}

/** Rows are what the hub lists, bodies what it takes. Methods, so that any of them fits `AnySpec`. */
export interface Spec<Row, Body> {
  key: string;
  needs: Permission;
  /** One of them, many of them, and a sentence of what they are for. */
  one: Texts;
  many: Texts;
  about: Texts;
  list(): Promise<readonly Row[]>;
  idOf(row: Row): string;
  nameOf(row: Row): string;
  columns: readonly Column<Row>[];
  fields: readonly Field[];
  blank(): Body;
  bodyOf(row: Row): Body;
  create?(body: Body): Promise<unknown>;
  change?(id: string, body: Body): Promise<unknown>;
  remove?(id: string): Promise<unknown>;
  /** What removing it is called where it does not vanish ("End now"). */
  removeWord?: Texts;
  canChange?(row: Row): boolean;
  canRemove?(row: Row): boolean;
  /** What it hits when it is removed. */
  impact?(row: Row): Promise<string>;
  lookups?: readonly LookupName[];
  /** Rows that change by themselves are read anew when the hub says so. */
  topic?: Topic;
  /** By which word rows are dim, out of force. */
  isOff?(row: Row): boolean;
}
export type AnySpec = Spec<Shape, Shape>;
/** Forget of which types a description is: it was checked where it was written. */
export function erase<Row extends object, Body extends object>(spec: Spec<Row, Body>): AnySpec {
  return spec as unknown as AnySpec;
}

/** All pages of a list, at most `most` rows: the list says when there are more. */
export async function allPages<T>(read: (cursor: string | undefined) => Promise<{ items: readonly T[]; next?: string | null }>, most = 5000): Promise<T[]> {
  const found: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    found.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor && found.length < most);
  return found;
}

/** Rows whose columns hold every word of a search. */
export function search<Row>(rows: readonly Row[], columns: readonly Column<Row>[], text: string): readonly Row[] {
  const wanted = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return rows;
  return rows.filter((row) => {
    const said = columns.map((column) => column.text(row)).join(" ").toLowerCase();
    return wanted.every((word) => said.includes(word));
  });
}
