// The figures of a report as the hub keeps them: plain data, read with care. What is not there is not
// shown; what is not known is never counted as good.
export interface Rate { part: number; whole: number; unknown: number; value: number | null; coverage: number | null }
export interface Times { known: number; of: number; median_s: number | null; p95_s: number | null }
export interface Stops { planned: number; seen: number; not_kept: number; not_seen: number; not_looked: number; normal: number; abnormal: number; not_judged: number; open: number; on_time: number; early: number; late: number; missed: number; out_of_order: number; untimed: number; by_person: number; second_wanted: number; second_agreed: number; second_disagreed: number; dispatched: number; kinds: Record<string, number>; completion: Rate; judged: Rate; timely: Rate }
export interface Calls { asked: number; answered: number; late: number; unanswered: number; waiting: number; cancelled: number; rate: Rate; answer: Times }
export interface Tasks { opened: number; done: number; verified: number; cancelled: number; merged: number; still_open: number; overdue: number; without_deadline: number; kinds: Record<string, number>; timely: Rate; accept: Times; arrive: Times; finish: Times }
export interface RoundRow { id: number; plan_name: string; area_name: string; mode: string; state: string; planned_at: string; walker_name: string; reason: string; took_s: number | null; forecast_s: number | null; off_s: number | null; planned: number; seen: number; abnormal: number; not_judged: number; open: number }
export interface AreaRow { area_id: number; name: string; rounds: number; rounds_unknown: number; stops: Stops; calls: Calls; tasks: Tasks }
export interface UnitRow { unit_id: number; name: string; kind: string; area_name: string; tasks: Tasks }
export interface Place { rank: number; id: number; name: string; score: number; coverage: number }
export interface Unplaced { id: number; name: string; why: string; coverage: number | null; due: number | null }
export interface Ranking { places: Place[]; red: Place[]; red_more: number; black: Place[]; black_more: number; unplaced: Unplaced[] }
export interface Figures {
  formula: number; as_of: string; rounds: { planned: number; finished: number; missed: number; cancelled: number; unfinished: number; unknown: number };
  walks: RoundRow[]; stops: Stops; calls: Calls; silent: { area_name: string; room_name: string; asked: number; silent: number; late: number }[]; tasks: Tasks; units: UnitRow[]; areas: AreaRow[]; branches: AreaRow[];
  area_ranking: Ranking; branch_ranking: Ranking; unit_ranking: Ranking; unvisited_count: number; unvisited: string[];
}

/** The figures, or null when they were kept in a form that this page does not know. */
export function readFigures(raw: Record<string, unknown>): Figures | null {
  const has = ["formula", "rounds", "stops", "calls", "tasks", "walks", "area_ranking"].every((key) => raw[key] !== undefined && raw[key] !== null);
  return has ? (raw as unknown as Figures) : null;
}
/** "97.5 %" rounded down: nothing less than all is 100 %. */
export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined) return "—";
  return `${(Math.floor(value * 1000 + 1e-9) / 10).toFixed(1)} %`;
}
