// How figures of the hub are said: rates, and why there is none.
import { wordsOf } from "$/hub/language.svelte";
import type { Schemas } from "$/hub/api";

const words = wordsOf({
  en: {
    collecting: (known: string) => `Still collecting: ${known} is known, 95 % is needed`, maintenance: () => "All of the time was planned maintenance",
    no_devices: () => "No devices", no_outages: () => "No outages in this time",
  },
  zh: {
    collecting: (known) => `数据收集中：已知 ${known}，需达到 95 %`, maintenance: () => "整段时间均为计划维护",
    no_devices: () => "没有设备", no_outages: () => "这段时间没有离线",
  },
});

/** 0.98765 as "98.77 %"; "—" where nothing is known. Never rounded up to a hundred. */
export function percent(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined) return "—";
  const scale = 10 ** digits;
  const shown = value >= 1 ? 100 : Math.min(Math.round(value * 100 * scale) / scale, 100 - 1 / scale);
  return `${shown.toFixed(digits)} %`;
}
/** Why a figure is withheld, in the language of whoever reads; the hub's sentence for newer reasons. */
export function whyWithheld(withheld: Schemas["WithheldOut"] | null | undefined, coverage: number): string {
  if (!withheld) return "";
  const say = words[withheld.code];
  return say ? say(percent(coverage, 1)) : withheld.reason;
}
