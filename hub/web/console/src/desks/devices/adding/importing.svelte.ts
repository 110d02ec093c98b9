// One file on its way in: read, checked, corrected, checked again, imported whole or not at all.
import { askBlob, Problem, type Schemas } from "$/hub/api";
import { faultsOf, toCsv, twice, type Column, type Faults, type Outcome, type Preview, type Row } from "./sheet";

const CHECK_AFTER_MS = 700; // after the last key
export const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const PATH = "/api/v1/inventory/devices";
const NONE: Faults = new Map();

export function mediaTypeOf(name: string): string | null {
  const ending = name.toLowerCase().split(".").at(-1);
  return ending === "csv" ? "text/csv" : ending === "xlsx" ? XLSX : null;
}

export class Importing {
  file = $state.raw<File | null>(null);
  preview = $state.raw<Preview | null>(null);
  columns = $state.raw<readonly Column[]>([]);
  rows = $state.raw<readonly Row[]>([]);
  outcome = $state.raw<Outcome | null>(null);
  faults = $state.raw<Faults>(NONE);
  error = $state.raw<unknown>(null);
  phase = $state<"empty" | "reading" | "open" | "importing" | "done">("empty");
  isChecking = $state(false);
  isChanged = $state(false);
  /** Cells as they were edited; a row is copied when its first cell changes. */
  #timer = 0;
  #question = 0;
  readonly twice = $derived(twice(this.columns));
  /** More rows than can be corrected here: the file goes in as it is. */
  readonly isWhole = $derived(this.preview !== null && this.preview.total > this.preview.rows.length);
  readonly isClean = $derived(this.outcome !== null && !this.isChanged && !this.isChecking && !this.outcome.refused_rows && !this.twice);

  async read(file: File): Promise<void> {
    this.stop();
    this.file = file;
    this.phase = "reading";
    this.error = null;
    this.outcome = null;
    this.faults = NONE;
    try {
      this.preview = await send<Preview>(`${PATH}/preview`, file, mediaTypeOf(file.name) ?? "");
      this.columns = this.preview.headings.map((heading) => ({ heading: heading.text, name: heading.name }));
      this.rows = this.preview.rows.map((row) => ({ line: row.line, cells: [...row.cells] }));
      this.phase = "open";
      await this.check();
    } catch (error) {
      this.phase = "empty";
      this.#keep(error);
    }
  }
  edit(row: number, column: number, text: string): void {
    const old = this.rows[row];
    if (!old) return;
    const cells = Array.from({ length: Math.max(old.cells.length, column + 1) }, (_, at) => old.cells[at] ?? "");
    cells[column] = text;
    this.rows = this.rows.with(row, { line: old.line, cells });
    this.#soon();
  }
  name(column: number, name: string): void {
    const old = this.columns[column];
    if (!old) return;
    this.columns = this.columns.with(column, { ...old, name });
    this.#soon();
  }
  /** Ask the hub what would happen; an answer to an older question is dropped. */
  async check(): Promise<void> {
    window.clearTimeout(this.#timer);
    if (this.twice) return;
    const question = ++this.#question;
    this.isChecking = true;
    this.isChanged = false;
    try {
      const { outcome, lines } = await this.#send("dry_run=true");
      if (question !== this.#question) return;
      this.#take(outcome, lines);
      this.error = null;
    } catch (error) {
      if (question === this.#question) this.#keep(error);
    } finally {
      if (question === this.#question) this.isChecking = false;
    }
  }
  /** Import all rows or, when some are at fault, none; `goodOnly` leaves those out. */
  async take(goodOnly: boolean): Promise<void> {
    window.clearTimeout(this.#timer);
    this.#question++;
    this.phase = "importing";
    this.error = null;
    try {
      const { outcome, lines } = await this.#send(goodOnly ? "" : "whole=true");
      this.#take(outcome, lines);
      this.phase = outcome.dry_run ? "open" : "done";
    } catch (error) {
      this.phase = "open";
      this.#keep(error);
    }
  }
  reset(): void {
    this.stop();
    this.phase = "empty";
    this.file = null;
    this.preview = null;
    this.rows = [];
    this.columns = [];
    this.outcome = null;
    this.faults = NONE;
    this.error = null;
  }
  stop(): void {
    window.clearTimeout(this.#timer);
    this.#question++;
    this.isChecking = false;
    this.isChanged = false;
  }

  #soon(): void {
    this.isChanged = true;
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.check(), CHECK_AFTER_MS);
  }
  #take(outcome: Outcome, lines: readonly number[]): void {
    this.outcome = outcome;
    this.faults = faultsOf(outcome.refused, lines);
  }
  async #send(query: string): Promise<{ outcome: Outcome; lines: readonly number[] }> {
    const path = query ? `${PATH}?${query}` : PATH;
    if (this.isWhole && this.file) {
      const outcome = await send<Outcome>(path, this.file, mediaTypeOf(this.file.name) ?? "");
      const named = new Map(this.columns.map((column) => [column.heading, column.name]));
      const refused = outcome.refused.map((bad) => ({ ...bad, column: named.get(bad.column) || bad.column }));
      return { outcome: { ...outcome, refused }, lines: this.rows.map((row) => row.line) };
    }
    const { text, lines } = toCsv(this.columns, this.rows);
    return { outcome: await send<Outcome>(path, text, "text/csv"), lines };
  }
  #keep(error: unknown): void {
    if (!(error instanceof Problem && error.status === 401)) this.error = error;
  }
}

async function send<T extends Schemas["ImportPreviewOut"] | Schemas["ImportOut"]>(path: string, body: Blob | string, type: string): Promise<T> {
  const { blob } = await askBlob(path, { method: "POST", body, headers: { "Content-Type": type } });
  return JSON.parse(await blob.text()) as T;
}
