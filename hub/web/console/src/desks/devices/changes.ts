// Rows change while somebody reads: in place. The order is kept until it is asked for anew; this tells
// which changes may have moved a row, brought one in or taken one out.
import type { Filter, Line, Query, Sort } from "./query";

const FIELDS: Record<Exclude<Sort, "number">, keyof Line> = {
  name: "name", code: "code", kind: "kind", area: "area_id", place: "place", address: "address", manufacturer: "manufacturer",
  model: "model", firmware: "firmware", class: "class", team: "team", status: "status", layer: "layer", since: "since",
};
// What changes of a device by itself, without anybody editing it.
const RESTLESS: readonly Sort[] = ["status", "layer", "since"];

/** Whether a device fits a filter, as far as its line tells; null when it does not tell. */
export function fits(line: Line, filter: Filter, isBelow: (area: number, top: number) => boolean): boolean | null {
  const { q, area, status, picture, placed, tag, behind, parent, flapping, ...exact } = filter;
  if (area !== undefined && !isBelow(line.area_id, area)) return false;
  if (status && !status.includes(line.status as never)) return false;
  if (behind !== undefined && line.behind_id !== behind) return false;
  if (parent !== undefined && line.parent_id !== parent) return false;
  if (flapping !== undefined && line.is_flapping !== flapping) return false;
  for (const [name, value] of Object.entries(exact)) if (value !== undefined && line[name as "team"] !== value) return false;
  if (picture || placed !== undefined || tag) return null;
  if (!q) return true;
  // Its serial number is searched too, and not in the line.
  const text = [line.name, line.code, line.address, line.place].join(" ").toLowerCase();
  return text.includes(q.toLowerCase()) ? true : null;
}

/** Whether the list would be another one if it were asked for now. `before` is the line as it was shown, if it was. */
export function mayMove(line: Line, before: Line | undefined, isListed: boolean, query: Query, isBelow: (area: number, top: number) => boolean): boolean {
  const now = fits(line, query.filter, isBelow);
  if (!isListed) return now === true;
  if (now === false) return true;
  if (query.sort === "number") return false;
  if (before) return before[FIELDS[query.sort]] !== line[FIELDS[query.sort]];
  return RESTLESS.includes(query.sort);
}
