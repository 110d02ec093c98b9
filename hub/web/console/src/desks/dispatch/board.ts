// The board: open tasks by where they stand. Pure.
import type { Schemas } from "$/hub/api";

export type Task = Schemas["DispatchOut"];
export const STAGES = {
  desk: ["new", "refused", "returned"], sent: ["sent"], going: ["accepted", "on_the_way"], site: ["on_site"], done: ["done"],
} as const satisfies Record<string, readonly Task["state"][]>;
export type Stage = keyof typeof STAGES;
export const STAGE_NAMES = Object.keys(STAGES) as Stage[];
export const MOST_A_STAGE = 60;

export interface Wanted { area: number | null; q: string; kind: string; priority: string; colour: string; unit: number | null }

export function stageOf(task: Task): Stage | null {
  return STAGE_NAMES.find((stage) => (STAGES[stage] as readonly string[]).includes(task.state)) ?? null;
}
/** Red before yellow before green, then the nearest deadline, then the oldest. Tasks without deadline last. */
export function byNeed(a: Task, b: Task): number {
  const far = "9999";
  const rank = { red: 0, yellow: 1, green: 2 };
  return rank[a.colour] - rank[b.colour] || (a.deadline_at ?? far).localeCompare(b.deadline_at ?? far) || a.id - b.id;
}
/** Tell whether a task that changed belongs on the board; `isBelow` says if its area lies in the chosen one. */
export function fits(task: Task, wanted: Wanted, isBelow: (area: number) => boolean): boolean {
  if (stageOf(task) === null || task.merged_into !== null) return false;
  if (wanted.area !== null && !isBelow(task.area_id)) return false;
  if (wanted.kind && task.kind !== wanted.kind) return false;
  if (wanted.priority && task.priority !== wanted.priority) return false;
  if (wanted.colour && task.colour !== wanted.colour) return false;
  if (wanted.unit !== null && task.unit_id !== wanted.unit) return false;
  const q = wanted.q.trim().toLowerCase();
  return !q || [task.title, task.place, task.device_name, task.unit_name, String(task.id)].some((text) => text.toLowerCase().includes(q));
}
/** Put changed tasks onto the board: in, out, or in place of what was there. */
export function merge(board: ReadonlyMap<number, Task>, changed: readonly Task[], doesFit: (task: Task) => boolean): Map<number, Task> {
  const next = new Map(board);
  for (const task of changed) {
    const known = next.get(task.id);
    if (known && known.version > task.version) continue; // it was overtaken on its way
    if (doesFit(task)) next.set(task.id, task);
    else next.delete(task.id);
  }
  return next;
}
/** The colour of an open task as time goes on; the same rule as the hub's. `now` in ms. */
export function colourAt(task: Task, now: number): Task["colour"] {
  const due = task.deadline_at ? Date.parse(task.deadline_at) : null;
  if (task.overdue_at || (due !== null && now >= due)) return "red";
  if (due === null) return "green";
  return due - now <= (due - Date.parse(task.created_at)) * task.yellow_share ? "yellow" : "green";
}
