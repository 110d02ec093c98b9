// In which order the list stands. While somebody has chosen something it holds still: what is new waits
// until it is asked for, and what is over stays in its place for a while.
export interface Arranged {
  shown: readonly number[];
  /** New, and not shown yet. */
  waiting: readonly number[];
  /** What is shown would stand otherwise by now. */
  isStale: boolean;
}

/**
 * `shown` is what stands there, `wanted` what should by need; `leaving` are over and stay where they
 * were for a moment.
 */
export function arrange(shown: readonly number[], wanted: readonly number[], leaving: ReadonlySet<number>, isHeld: boolean): Arranged {
  const due = new Set(wanted);
  if (!isHeld) {
    const next = [...wanted];
    shown.forEach((id, at) => { if (leaving.has(id) && !due.has(id)) next.splice(Math.min(at, next.length), 0, id); });
    return { shown: next, waiting: [], isStale: false };
  }
  const there = new Set(shown);
  const kept = shown.filter((id) => due.has(id) || leaving.has(id));
  const sorted = wanted.filter((id) => there.has(id));
  const standing = kept.filter((id) => due.has(id));
  return { shown: kept, waiting: wanted.filter((id) => !there.has(id)), isStale: standing.some((id, at) => id !== sorted[at]) };
}

export interface Section { key: string; ids: readonly number[] }
/** Sections of a list in the order of their first, each in the list's order. */
export function sectionsOf(ids: readonly number[], keyOf: (id: number) => string): Section[] {
  const found = new Map<string, number[]>();
  for (const id of ids) {
    const key = keyOf(id);
    const section = found.get(key);
    if (section) section.push(id);
    else found.set(key, [id]);
  }
  return [...found].map(([key, all]) => ({ key, ids: all }));
}
