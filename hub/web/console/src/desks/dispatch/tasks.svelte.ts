// The tasks on the board: read by stage, then kept true by what changes.
import { api, ask } from "$/hub/api";
import { areas } from "$/hub/areas.svelte";
import { live } from "$/hub/live.svelte";
import { byNeed, fits, merge, MOST_A_STAGE, STAGE_NAMES, STAGES, stageOf, type Stage, type Task, type Wanted } from "./board";

export class Board {
  tasks = $state.raw<ReadonlyMap<number, Task>>(new Map());
  counts = $state.raw<Record<string, number>>({});
  error = $state.raw<unknown>(null);
  isKnown = $state(false);
  #wanted: Wanted = { area: null, q: "", kind: "", priority: "", colour: "", unit: null };
  #question = 0;
  stages = $derived.by(() => {
    const found = Object.fromEntries(STAGE_NAMES.map((stage) => [stage, [] as Task[]])) as Record<Stage, Task[]>;
    for (const task of this.tasks.values()) {
      const stage = stageOf(task);
      if (stage) found[stage].push(task);
    }
    for (const stage of STAGE_NAMES) found[stage].sort(byNeed);
    return found;
  });

  async read(wanted: Wanted): Promise<void> {
    this.#wanted = wanted;
    const question = ++this.#question;
    const query = {
      limit: MOST_A_STAGE, sort: "deadline" as const, open: true, q: wanted.q.trim(),
      ...(wanted.area === null ? {} : { area: wanted.area }), ...(wanted.kind ? { kind: wanted.kind } : {}),
      ...(wanted.priority ? { priority: wanted.priority as Task["priority"] } : {}), ...(wanted.colour ? { colour: wanted.colour as Task["colour"] } : {}),
      ...(wanted.unit === null ? {} : { unit: wanted.unit }),
    };
    const states = STAGE_NAMES.flatMap((stage) => [...STAGES[stage]]);
    try {
      const [pages, counted] = await Promise.all([
        Promise.all(states.map((status) => ask(api.GET("/api/v1/dispatches", { params: { query: { ...query, status } } })))),
        ask(api.GET("/api/v1/dispatches/counts", { params: { query: wanted.area === null ? {} : { area: wanted.area } } })),
      ]);
      if (question !== this.#question) return;
      this.tasks = new Map(pages.flatMap((page) => page.items).map((task) => [task.id, task]));
      this.counts = counted.states;
      this.error = null;
      this.isKnown = true;
    } catch (error) {
      if (question === this.#question) this.error = error;
    }
  }
  /** Follow what changes until the returned function is called. */
  follow(): () => void {
    const isBelow = (area: number): boolean => areas.trail(area).some((one) => one.id === this.#wanted.area);
    const ends = [
      live.follow("dispatches", (items) => { this.tasks = merge(this.tasks, items, (task) => fits(task, this.#wanted, isBelow)); }),
      live.onResync(() => void this.read(this.#wanted)),
    ];
    return () => ends.forEach((end) => end());
  }
  /** How many of a stage there are that the board does not hold; 0 while it is filtered. */
  hidden(stage: Stage): number {
    const { area: _area, ...rest } = this.#wanted;
    if (Object.values(rest).some(Boolean)) return 0;
    const all = STAGES[stage].reduce((sum, state) => sum + (this.counts[state] ?? 0), 0);
    return STAGES[stage].some((state) => (this.counts[state] ?? 0) > MOST_A_STAGE) ? Math.max(0, all - this.stages[stage].length) : 0;
  }
}
