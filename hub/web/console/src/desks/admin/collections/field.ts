// Field units, dispatch rules, deadlines of tasks, duty rooms, shifts.
import { api, ask, type Schemas } from "$/hub/api";
import { site } from "$/hub/site.svelte";
import { stateWords, wordOf } from "$/parts/states";
import { areaName, choices, fieldLabel, labels, showFew, showHours, span } from "../generic/labels";
import { lookups } from "../generic/lookups.svelte";
import { allPages, erase, type Column, type Field } from "../generic/spec";
import { words as frame } from "../words";
import { words } from "./words";

const PAGE = 200;
const label = (name: string) => (): string => fieldLabel(name);
const number = (id: string): number => Number(id);
const NAME: Field = { name: "name", kind: "text", required: true };
const AREA: Field = { name: "area_id", kind: "area", required: true };
const ON: Field = { name: "is_enabled", kind: "switch" };
const RECEIVER: Field = { name: "receiver_id", kind: "look", of: "receivers" };
const areaColumn = { label: label("area_id"), text: (row: { area_id: number }) => areaName(row.area_id) };
const nameColumn = { label: label("name"), text: (row: { name: string }) => row.name };
const onColumn: Column<{ is_enabled: boolean }> = { label: label("is_enabled"), text: (row) => (row.is_enabled ? labels.on : labels.off), mark: (row) => (row.is_enabled ? null : { tone: "unknown", shape: "■" }) };
const reached = { label: label("receiver_id"), text: (row: { receiver_id: number | null }) => lookups.receivers.name(row.receiver_id) };

export const units = erase<Schemas["UnitOut"], Schemas["UnitIn"]>({
  key: "units", needs: "plan", one: () => words.units.one, many: () => frame.sections.units, about: () => words.units.about, lookups: ["receivers"],
  list: () => allPages((cursor) => ask(api.GET("/api/v1/field-units", { params: { query: { limit: PAGE, cursor } } }))),
  idOf: (row) => String(row.id), nameOf: (row) => row.name, isOff: (row) => !row.is_enabled,
  columns: [nameColumn, { label: label("kind"), text: (row) => wordOf(labels.units, row.kind) }, areaColumn, { label: label("phone"), text: (row) => row.phone }, reached, { label: label("hours"), text: (row) => showHours(row.hours) }, onColumn],
  fields: [NAME, AREA, { name: "kind", kind: "one", options: choices.units, required: true }, { name: "phone", kind: "text", max: 32 }, RECEIVER, { name: "hours", kind: "hours" }, { name: "most_open", kind: "number", min: 1, max: 1000, step: 1, required: true }, ON],
  blank: () => ({ area_id: null as unknown as number, name: "", kind: "grid_officer", phone: "", receiver_id: null, hours: null, most_open: 5, is_enabled: true }),
  bodyOf: (row) => ({ area_id: row.area_id, name: row.name, kind: row.kind, phone: row.phone, receiver_id: row.receiver_id, hours: row.hours, most_open: row.most_open, is_enabled: row.is_enabled }),
  create: (body) => ask(api.POST("/api/v1/field-units", { body })),
  change: (id, body) => ask(api.PUT("/api/v1/field-units/{unit_id}", { params: { path: { unit_id: number(id) } }, body })),
  remove: (id) => ask(api.DELETE("/api/v1/field-units/{unit_id}", { params: { path: { unit_id: number(id) } } })),
});

export const dispatchRules = erase<Schemas["DispatchRuleOut"], Schemas["DispatchRuleIn"]>({
  key: "dispatch-rules", needs: "plan", one: () => words.rules.one, many: () => frame.sections["dispatch-rules"], about: () => words.rules.about,
  list: () => allPages((cursor) => ask(api.GET("/api/v1/dispatch-rules", { params: { query: { limit: PAGE, cursor } } }))),
  idOf: (row) => String(row.id), nameOf: (row) => row.name, isOff: (row) => !row.is_enabled,
  columns: [nameColumn, areaColumn, { label: label("kinds"), text: (row) => showFew(row.kinds) || labels.all }, { label: label("priorities"), text: (row) => showFew(row.priorities.map((one) => wordOf(stateWords.priorities, one))) || labels.all }, { label: label("unit_kinds"), text: (row) => showFew(row.unit_kinds.map((one) => wordOf(labels.units, one))) || labels.all }, { label: label("is_automatic"), text: (row) => (row.is_automatic ? labels.yes : labels.no) }, onColumn],
  fields: [NAME, AREA, { name: "kinds", kind: "tags" }, { name: "priorities", kind: "some", options: choices.priorities }, { name: "sources", kind: "some", options: choices.sources }, { name: "unit_kinds", kind: "some", options: choices.units }, { name: "most_km", kind: "number", min: 0.1, max: 20_040 }, { name: "is_automatic", kind: "switch" }, ON],
  blank: () => ({ name: "", area_id: null as unknown as number, kinds: [], priorities: [], sources: [], unit_kinds: [], most_km: null, is_automatic: true, is_enabled: true }),
  bodyOf: (row) => ({ name: row.name, area_id: row.area_id, kinds: [...row.kinds], priorities: [...row.priorities], sources: [...row.sources], unit_kinds: [...row.unit_kinds], most_km: row.most_km, is_automatic: row.is_automatic, is_enabled: row.is_enabled }),
  create: (body) => ask(api.POST("/api/v1/dispatch-rules", { body })),
  change: (id, body) => ask(api.PUT("/api/v1/dispatch-rules/{dispatch_rule_id}", { params: { path: { dispatch_rule_id: number(id) } }, body })),
  remove: (id) => ask(api.DELETE("/api/v1/dispatch-rules/{dispatch_rule_id}", { params: { path: { dispatch_rule_id: number(id) } } })),
});

export const taskDeadlines = erase<Schemas["TaskDeadlinesOut"], Schemas["TaskDeadlinesIn"]>({
  key: "task-deadlines", needs: "plan", one: () => words.taskDeadlines.one, many: () => frame.sections["task-deadlines"], about: () => words.taskDeadlines.about,
  list: () => allPages((cursor) => ask(api.GET("/api/v1/task-deadlines", { params: { query: { limit: PAGE, cursor } } }))),
  idOf: (row) => String(row.id), nameOf: (row) => `${areaName(row.area_id)} · ${wordOf(stateWords.priorities, row.priority)}`,
  columns: [{ label: label("area_id"), text: (row) => areaName(row.area_id) }, { label: label("priority"), text: (row) => wordOf(stateWords.priorities, row.priority) }, { label: label("accept_s"), text: (row) => span(row.accept_s) }, { label: label("arrive_s"), text: (row) => span(row.arrive_s) }, { label: label("done_s"), text: (row) => span(row.done_s) }],
  fields: [AREA, { name: "priority", kind: "one", options: choices.priorities, required: true }, { name: "accept_s", kind: "seconds", min: 1 }, { name: "arrive_s", kind: "seconds", min: 1 }, { name: "done_s", kind: "seconds", min: 1 }, { name: "yellow_share", kind: "share", required: true }],
  blank: () => ({ area_id: null as unknown as number, priority: "normal", accept_s: 600, arrive_s: 3600, done_s: 86_400, yellow_share: 0.25 }),
  bodyOf: ({ id: _, ...row }) => row,
  create: (body) => ask(api.POST("/api/v1/task-deadlines", { body })),
  change: (id, body) => ask(api.PUT("/api/v1/task-deadlines/{task_deadlines_id}", { params: { path: { task_deadlines_id: number(id) } }, body })),
  remove: (id) => ask(api.DELETE("/api/v1/task-deadlines/{task_deadlines_id}", { params: { path: { task_deadlines_id: number(id) } } })),
});

export const dutyRooms = erase<Schemas["DutyRoomOut"], Schemas["DutyRoomIn"]>({
  key: "duty-rooms", needs: "plan", one: () => words.rooms.one, many: () => frame.sections["duty-rooms"], about: () => words.rooms.about, lookups: ["receivers"],
  list: () => allPages((cursor) => ask(api.GET("/api/v1/duty-rooms", { params: { query: { limit: PAGE, cursor } } }))),
  idOf: (row) => String(row.id), nameOf: (row) => row.name, isOff: (row) => !row.is_enabled,
  columns: [nameColumn, areaColumn, { label: label("phone"), text: (row) => row.phone || labels.none }, reached, onColumn],
  fields: [NAME, AREA, { name: "phone", kind: "text", max: 32 }, RECEIVER, { name: "speaker_id", kind: "device", of: "speaker" }, ON],
  blank: () => ({ area_id: null as unknown as number, name: "", phone: "", receiver_id: null, speaker_id: null, is_enabled: true }),
  bodyOf: (row) => ({ area_id: row.area_id, name: row.name, phone: row.phone, receiver_id: row.receiver_id, speaker_id: row.speaker_id, is_enabled: row.is_enabled }),
  create: (body) => ask(api.POST("/api/v1/duty-rooms", { body })),
  change: (id, body) => ask(api.PUT("/api/v1/duty-rooms/{room_id}", { params: { path: { room_id: number(id) } }, body })),
  remove: (id) => ask(api.DELETE("/api/v1/duty-rooms/{room_id}", { params: { path: { room_id: number(id) } } })),
});

export const shifts = erase<Schemas["ShiftOut"], Schemas["ShiftIn"]>({
  key: "shifts", needs: "plan", one: () => words.shifts.one, many: () => frame.sections.shifts, about: () => words.shifts.about, lookups: ["people"],
  list: () => allPages((cursor) => ask(api.GET("/api/v1/shifts", { params: { query: { limit: PAGE, cursor } } }))),
  idOf: (row) => String(row.id), nameOf: (row) => row.name,
  columns: [nameColumn, areaColumn, { label: label("hours"), text: (row) => showHours(row.hours) }, { label: label("user_ids"), text: (row) => showFew(row.user_ids.map((id) => lookups.people.name(id)), 5) }],
  fields: [NAME, AREA, { name: "hours", kind: "hours", required: true }, { name: "user_ids", kind: "look", of: "people", many: true }],
  blank: () => ({ area_id: null as unknown as number, name: "", hours: { rrule: "FREQ=DAILY;BYHOUR=22;BYMINUTE=0", duration_s: 28_800, time_zone: site.zone, days: "any" }, user_ids: [] }),
  bodyOf: ({ id: _, ...row }) => ({ ...row, user_ids: [...row.user_ids] }),
  create: (body) => ask(api.POST("/api/v1/shifts", { body })),
  change: (id, body) => ask(api.PUT("/api/v1/shifts/{shift_id}", { params: { path: { shift_id: number(id) } }, body })),
  remove: (id) => ask(api.DELETE("/api/v1/shifts/{shift_id}", { params: { path: { shift_id: number(id) } } })),
});
