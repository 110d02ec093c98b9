// What hangs on the wall, as it stands in the address: "4_7.a3.0.12" is four tiles: device 7, the
// cameras of area 3 in turn, nothing, device 12. Pure.

export const SIZES = [1, 4, 9, 16, 25] as const;
export type Size = (typeof SIZES)[number];
export type Slot = { kind: "none" } | { kind: "camera"; id: number } | { kind: "area"; id: number };
export interface Layout { size: Size; slots: readonly Slot[] }

const NONE: Slot = { kind: "none" };
export const EMPTY: Layout = { size: 4, slots: [NONE, NONE, NONE, NONE] };

export function parseLayout(text: string | null): Layout | null {
  const [size, rest = ""] = (text ?? "").split("_");
  const found = SIZES.find((one) => String(one) === size);
  if (!found) return null;
  const parts = rest.split(".");
  return { size: found, slots: Array.from({ length: found }, (_none, at) => parseSlot(parts[at] ?? "")) };
}
function parseSlot(text: string): Slot {
  const [, area, digits] = /^(a?)([1-9]\d{0,15})$/.exec(text) ?? [];
  if (!digits) return NONE;
  return { kind: area ? "area" : "camera", id: Number(digits) };
}
export function formatLayout({ size, slots }: Layout): string {
  const parts = slots.map((slot) => (slot.kind === "none" ? "0" : `${slot.kind === "area" ? "a" : ""}${slot.id}`));
  while (parts.at(-1) === "0") parts.pop();
  return `${size}_${parts.join(".")}`;
}

/** More or fewer tiles; those that fall off the end are taken into holes before it. */
export function resize(layout: Layout, size: Size): Layout {
  const slots = Array.from({ length: size }, (_none, at) => layout.slots[at] ?? NONE);
  for (const slot of layout.slots.slice(size).filter((one) => one.kind !== "none")) {
    const hole = slots.findIndex((one) => one.kind === "none");
    if (hole >= 0) slots[hole] = slot;
  }
  return { size, slots };
}
export function put(layout: Layout, at: number, slot: Slot): Layout {
  return { ...layout, slots: layout.slots.map((one, n) => (n === at ? slot : one)) };
}
/** Move a tile to another place; what hung there goes to the first one's. */
export function swap(layout: Layout, from: number, to: number): Layout {
  const a = layout.slots[from] ?? NONE;
  const b = layout.slots[to] ?? NONE;
  return put(put(layout, from, b), to, a);
}
/** A wall of just these cameras. */
export function fill(ids: readonly number[]): Layout {
  const size = SIZES.find((one) => one >= Math.min(ids.length, 25)) ?? 25;
  const slots = Array.from({ length: size }, (_none, at): Slot => {
    const id = ids[at];
    return id === undefined ? NONE : { kind: "camera", id };
  });
  return { size, slots };
}
/** The next place that holds nothing, else the next place. */
export function nextPlace(layout: Layout, at: number): number {
  for (let n = 1; n <= layout.size; n++) {
    const next = (at + n) % layout.size;
    if (layout.slots[next]?.kind === "none") return next;
  }
  return (at + 1) % layout.size;
}
/** The place an arrow leads to. */
export function neighbour(size: Size, at: number, key: string): number {
  const side = Math.sqrt(size);
  const row = Math.floor(at / side);
  const column = at % side;
  const moves: Record<string, [number, number]> = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const [down, right] = moves[key] ?? [0, 0];
  const within = (value: number): number => Math.min(side - 1, Math.max(0, value));
  return within(row + down) * side + within(column + right);
}

/** Which camera of a list a sequence shows at a step, `place` counted among those that share it. */
export function inTurn(ids: readonly number[], step: number, place: number, places: number): number | null {
  if (!ids.length) return null;
  if (ids.length <= places) return ids[place] ?? null;
  return ids[(step * places + place) % ids.length] ?? null;
}
