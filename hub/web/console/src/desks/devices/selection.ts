// Which devices are chosen. By number, not by place: a list that is sorted anew keeps what was chosen.
export interface Selection { readonly ids: ReadonlySet<number>; readonly anchor: number | null }
export const NOTHING: Selection = { ids: new Set(), anchor: null };

/** Choose a device or let it go; it is where the next range begins. */
export function toggle({ ids }: Selection, id: number): Selection {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return { ids: next, anchor: id };
}

/** Choose all from the anchor up to a device, as they stand; without an anchor the device alone. */
export function chooseUpTo({ ids, anchor }: Selection, order: readonly number[], id: number): Selection {
  const from = anchor === null ? -1 : order.indexOf(anchor);
  const to = order.indexOf(id);
  if (to < 0) return { ids, anchor };
  const next = new Set(ids);
  const [low, high] = from < 0 ? [to, to] : [Math.min(from, to), Math.max(from, to)];
  for (const one of order.slice(low, high + 1)) next.add(one);
  return { ids: next, anchor: from < 0 ? id : anchor };
}

export const chooseAll = (order: readonly number[]): Selection => ({ ids: new Set(order), anchor: null });
