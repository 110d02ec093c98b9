// In which fields two versions of a thing differ, and which of the hub's sentences is about which field. Pure.
export interface Change { field: string; theirs: unknown }
type FieldError = { loc?: readonly (string | number)[]; msg?: string };

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
/** Alike as JSON: the order of keys says nothing, and what is absent is undefined. */
export function isAlike(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) return one.length === other.length && one.every((item, at) => isAlike(item, other[at]));
  if (isObject(one) && isObject(other)) return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((key) => isAlike(one[key], other[key]));
  return Object.is(one, other);
}
/** The fields of `now` that differ from `before`, one level deep. */
export function changesOf(before: object, now: object): Change[] {
  const [was, is] = [before as Record<string, unknown>, now as Record<string, unknown>];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((key) => !isAlike(was[key], is[key])).map((field) => ({ field, theirs: is[field] }));
}
/** What the hub said about a field; about "condition.for_s" it may say it of "body", "condition.for_s" or of its parts. */
export function placeOf(errors: readonly FieldError[], field: string): string {
  const wanted = field.split(".");
  const found = errors.find((error) => {
    const parts = (error.loc ?? []).flatMap((part) => String(part).split(".")).filter((part) => part !== "body");
    return wanted.every((part, at) => parts[at] === part) || (parts.length === 1 && parts[0] === wanted.at(-1));
  });
  return found?.msg ?? "";
}

/** Read what a path ("options.address") names. */
export function pick(from: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), from);
}
/** Set what a path names; objects on the way are made. */
export function put(into: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split(".");
  const last = keys.pop();
  let at = into;
  for (const key of keys) {
    if (!isObject(at[key])) at[key] = {};
    at = at[key] as Record<string, unknown>;
  }
  if (last !== undefined) at[last] = value;
}
