// The figures of a patrol report that the desk repeats. They come as they were kept, perhaps by an older
// hub: each is looked for, and what is not there is not known.
export interface Share { value: number | null; coverage: number | null }

export function numberAt(figures: unknown, ...path: string[]): number | null {
  let at: unknown = figures;
  for (const key of path) at = typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined;
  return typeof at === "number" ? at : null;
}
export function shareAt(figures: unknown, ...path: string[]): Share {
  return { value: numberAt(figures, ...path, "value"), coverage: numberAt(figures, ...path, "coverage") };
}
