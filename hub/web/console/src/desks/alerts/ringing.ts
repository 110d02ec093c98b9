// What calls by sound: an alert that fires anew, not every change of it. Pure; time is passed in.
import { isQuiet, SEVERITY_RANK, type Alert } from "./need";

export interface Choices {
  critical: boolean;
  warning: boolean;
  info: boolean;
  /** Also what counts in an alert for many, what is silenced or snoozed, exercises. */
  folded: boolean;
  quiet: boolean;
  drill: boolean;
  /** A new critical alert ends a mute. */
  breaks: boolean;
  /** 0 to 1. */
  volume: number;
  desktop: boolean;
}
export const DEFAULTS: Choices = { critical: true, warning: true, info: false, folded: false, quiet: false, drill: false, breaks: true, volume: 0.6, desktop: false };

/** Read choices that were kept, perhaps by another version. */
export function readChoices(value: Record<string, unknown> | undefined): Choices {
  const read: Record<string, unknown> = { ...DEFAULTS };
  for (const key of Object.keys(DEFAULTS)) {
    const said = value?.[key];
    if (typeof said === typeof read[key]) read[key] = said;
  }
  const choices = read as unknown as Choices;
  return { ...choices, volume: Number.isFinite(choices.volume) ? Math.min(1, Math.max(0, choices.volume)) : DEFAULTS.volume };
}

/** What was heard of already. `since`: what fired before is known. */
export class Ears {
  #rung = new Map<number, string>();
  #hushed = new Set<number>();
  constructor(private readonly since: number) {}

  /** Those of these alerts that call now; each calls once each time it fires, or is told of again. */
  hear(alerts: readonly Alert[], choices: Choices, now: number): Alert[] {
    return alerts.filter((alert) => {
      if (alert.status !== "firing") { this.#hushed.delete(alert.id); return false; }
      const isHushed = !choices.quiet && isQuiet(alert, now);
      const isAgain = this.#hushed.has(alert.id);
      if (isHushed) { this.#hushed.add(alert.id); this.#rung.set(alert.id, alert.fired_at); return false; }
      this.#hushed.delete(alert.id);
      if (!isAgain && (this.#rung.get(alert.id) === alert.fired_at || Date.parse(alert.fired_at) <= this.since)) return false;
      this.#rung.set(alert.id, alert.fired_at);
      if (alert.folded_into !== null && !choices.folded) return false;
      if (alert.drill_id !== null && !choices.drill) return false;
      return choices[alert.severity];
    });
  }
}

export const worstOf = (alerts: readonly Alert[]): Alert["severity"] =>
  alerts.reduce<Alert["severity"]>((worst, alert) => ((SEVERITY_RANK[alert.severity] ?? 0) > (SEVERITY_RANK[worst] ?? 0) ? alert.severity : worst), "info");

/** One sound for many alerts of a moment: a second one only after a pause, or when it is worse. */
export class Gate {
  #last = -Infinity;
  #rank = 0;
  constructor(private readonly pauseMs = 4000) {}

  passes(severity: string, now: number): boolean {
    const rank = SEVERITY_RANK[severity] ?? 0;
    if (now - this.#last < this.pauseMs && rank <= this.#rank) return false;
    this.#last = now;
    this.#rank = rank;
    return true;
  }
}
