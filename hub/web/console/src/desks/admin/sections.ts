// The sections of the administration: who sees which, and how each is loaded.
import type { Component } from "svelte";
import { session, type Permission } from "$/hub/session.svelte";
import type { AnySpec } from "./generic/spec";
import type { SectionKey } from "./words";

export type GroupKey = "hub" | "people" | "alerting" | "devices" | "dispatch";
type Sub = Component<{ id: string }>;
export interface Section {
  key: SectionKey;
  group: GroupKey;
  /** Any of these opens it. */
  needs: readonly Permission[];
  load: () => Promise<{ default: Sub } | { spec: AnySpec }>;
}
const telling = () => import("./collections/telling");
const devices = () => import("./collections/devices");
const field = () => import("./collections/field");

export const SECTIONS: readonly Section[] = [
  { key: "attention", group: "hub", needs: ["administer", "plan", "maintain"], load: () => import("./system/Attention.svelte") },
  { key: "system", group: "hub", needs: ["administer"], load: () => import("./system/System.svelte") },
  { key: "audit", group: "hub", needs: ["administer"], load: () => import("./audit/Audit.svelte") },
  { key: "people", group: "people", needs: ["administer"], load: () => import("./people/People.svelte") },
  { key: "areas", group: "people", needs: ["administer"], load: () => import("./people/Areas.svelte") },
  { key: "rules", group: "alerting", needs: ["plan"], load: () => import("./rules/Rules.svelte") },
  { key: "receivers", group: "alerting", needs: ["plan"], load: () => import("./extras/Receivers.svelte") },
  { key: "routes", group: "alerting", needs: ["plan"], load: async () => ({ spec: (await telling()).routes }) },
  { key: "deadlines", group: "alerting", needs: ["plan"], load: () => import("./extras/Deadlines.svelte") },
  { key: "duties", group: "alerting", needs: ["plan"], load: () => import("./extras/Duties.svelte") },
  { key: "policies", group: "alerting", needs: ["plan"], load: () => import("./extras/Policies.svelte") },
  { key: "silences", group: "alerting", needs: ["plan"], load: () => import("./extras/Silences.svelte") },
  { key: "drills", group: "alerting", needs: ["plan"], load: async () => ({ spec: (await telling()).drills }) },
  { key: "holidays", group: "alerting", needs: ["administer", "plan"], load: async () => ({ spec: (await telling()).holidays }) },
  { key: "connections", group: "devices", needs: ["administer"], load: async () => ({ spec: (await devices()).connections }) },
  { key: "windows", group: "devices", needs: ["maintain"], load: () => import("./extras/Windows.svelte") },
  { key: "intervals", group: "devices", needs: ["maintain"], load: async () => ({ spec: (await devices()).intervals }) },
  { key: "profiles", group: "devices", needs: ["maintain"], load: () => import("./extras/Profiles.svelte") },
  { key: "assignments", group: "devices", needs: ["maintain"], load: async () => ({ spec: (await devices()).assignments }) },
  { key: "parents", group: "devices", needs: ["maintain"], load: () => import("./extras/Parents.svelte") },
  { key: "units", group: "dispatch", needs: ["plan"], load: async () => ({ spec: (await field()).units }) },
  { key: "dispatch-rules", group: "dispatch", needs: ["plan"], load: async () => ({ spec: (await field()).dispatchRules }) },
  { key: "task-deadlines", group: "dispatch", needs: ["plan"], load: async () => ({ spec: (await field()).taskDeadlines }) },
  { key: "duty-rooms", group: "dispatch", needs: ["plan"], load: async () => ({ spec: (await field()).dutyRooms }) },
  { key: "shifts", group: "dispatch", needs: ["plan"], load: async () => ({ spec: (await field()).shifts }) },
];
export const offered = (): readonly Section[] => SECTIONS.filter((section) => section.needs.some((need) => session.may(need)));
