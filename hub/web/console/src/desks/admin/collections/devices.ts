// Connections, maintenance windows, probe intervals, picture profiles and where they are in use.
import { api, ask, type Schemas } from "$/hub/api";
import { showTime, site } from "$/hub/site.svelte";
import { stateWords, wordOf } from "$/parts/states";
import { areaName, choices, fieldLabel, labels, showFew, span } from "../generic/labels";
import { lookups } from "../generic/lookups.svelte";
import { allPages, erase, type Field, type Shape } from "../generic/spec";
import { words as frame } from "../words";
import { words } from "./words";

const PAGE = 200;
const HOUR_MS = 3_600_000;
const label = (name: string) => (): string => fieldLabel(name);
const number = (id: string): number => Number(id);
const option = (all: object): { value: string; label: string }[] => Object.entries(all).map(([value, said]) => ({ value, label: String(said) }));
const AREA: Field = { name: "area_id", kind: "area", required: true };
const areaColumn = { label: label("area_id"), text: (row: { area_id: number }) => areaName(row.area_id) };

type ConnectionBody = Omit<Schemas["ConnectionIn"], "options"> & { options: Shape; sets_options: boolean };
const isProtocol = (...protocols: string[]) => (draft: Shape, isNew: boolean): boolean => protocols.includes(String(draft["protocol"])) && (isNew || draft["sets_options"] === true);
const CONNECTION_OPTIONS: Record<string, readonly string[]> = { onvif: ["events", "verify", "fingerprint", "reason", "rewrite_host"], rtsp: ["sub_stream_address", "snapshot_address"], mqtt: ["version", "approve_unknown"], uplink: ["kind"] };
/** The options of a protocol that were set; what belongs to another protocol or choice is left out. */
export function connectionOptions(protocol: string, options: Shape): Shape {
  const wanted = (CONNECTION_OPTIONS[protocol] ?? []).filter((key) => key !== "fingerprint" || options["verify"] === "pinned").filter((key) => key !== "reason" || options["verify"] === "off");
  return Object.fromEntries(wanted.filter((key) => options[key] !== undefined && options[key] !== null && options[key] !== "").map((key) => [key, options[key]]));
}
const NEW_OPTIONS = (): Shape => ({ events: true, verify: "ca", rewrite_host: false, version: "5", approve_unknown: false, kind: "uplink" });

export const connections = erase<Schemas["ConnectionOut"], ConnectionBody>({
  key: "connections", needs: "administer", topic: "connections", one: () => words.connections.one, many: () => frame.sections.connections, about: () => words.connections.about,
  list: async () => (await ask(api.GET("/api/v1/connections"))).items,
  idOf: (row) => String(row.id), nameOf: (row) => row.name, isOff: (row) => !row.is_enabled,
  columns: [
    { label: label("name"), text: (row) => row.name, sub: (row) => row.address },
    { label: label("state"), sub: (row) => row.state_detail, text: (row) => (row.is_enabled ? wordOf(words.connectionStates, row.state) : labels.off), mark: (row) => (!row.is_enabled ? { tone: "unknown", shape: "■" } : row.state === "connected" ? { tone: "good", shape: "●" } : row.state === "new" ? { tone: "unknown", shape: "?" } : { tone: "bad", shape: "✖" }) },
    { label: () => words.since, text: (row) => showTime(row.state_since), isNarrow: true }, { label: label("protocol"), text: (row) => wordOf(labels.protocols, row.protocol) }, areaColumn,
  ],
  fields: [
    { name: "protocol", kind: "one", options: choices.protocols, required: true, fixed: true }, { name: "name", kind: "text", required: true }, AREA,
    { name: "address", kind: "text", max: 2048, required: true, hint: (draft) => wordOf(words.addressHint, String(draft["protocol"])) },
    { name: "username", kind: "text", hint: (_draft, isNew) => (isNew ? "" : words.usernameKept), when: (draft) => draft["protocol"] !== "uplink" }, { name: "password", kind: "secret", hint: (_draft, isNew) => (isNew ? words.passwordNew : words.passwordHint), when: (draft) => draft["protocol"] !== "uplink" },
    { name: "sets_options", kind: "switch", label: () => words.changeOptions, hint: () => words.optionsKept, when: (_draft, isNew) => !isNew },
    { name: "options.events", kind: "switch", label: () => words.options.events, when: isProtocol("onvif") }, { name: "options.rewrite_host", kind: "switch", label: () => words.options.rewrite_host, when: isProtocol("onvif") },
    { name: "options.verify", kind: "one", options: () => option(words.verify), label: () => words.options.verify, when: isProtocol("onvif") },
    { name: "options.fingerprint", kind: "text", required: true, label: () => words.options.fingerprint, when: (draft, isNew) => isProtocol("onvif")(draft, isNew) && (draft["options"] as Shape)["verify"] === "pinned" },
    { name: "options.reason", kind: "text", required: true, label: () => words.options.verifyReason, when: (draft, isNew) => isProtocol("onvif")(draft, isNew) && (draft["options"] as Shape)["verify"] === "off" },
    { name: "options.sub_stream_address", kind: "text", max: 2048, label: () => words.options.sub_stream_address, when: isProtocol("rtsp") }, { name: "options.snapshot_address", kind: "text", max: 2048, label: () => words.options.snapshot_address, when: isProtocol("rtsp") },
    { name: "options.version", kind: "one", options: () => [{ value: "5", label: "5" }, { value: "3.1.1", label: "3.1.1" }], label: () => words.options.version, when: isProtocol("mqtt") }, { name: "options.approve_unknown", kind: "switch", label: () => words.options.approve_unknown, when: isProtocol("mqtt") },
    { name: "options.kind", kind: "one", options: () => option(words.linkKinds), label: () => words.options.linkKind, when: isProtocol("uplink") },
    { name: "is_enabled", kind: "switch" },
  ],
  blank: () => ({ protocol: "onvif", name: "", address: "", area_id: null as unknown as number, username: "", password: "", options: NEW_OPTIONS(), is_enabled: true, sets_options: true }),
  bodyOf: (row) => ({ protocol: row.protocol, name: row.name, address: row.address, area_id: row.area_id, username: "", password: "", options: NEW_OPTIONS(), is_enabled: row.is_enabled, sets_options: false }),
  create: ({ sets_options: _, ...body }) => ask(api.POST("/api/v1/connections", { body: { ...body, options: connectionOptions(body.protocol, body.options) } })),
  change: (id, body) => ask(api.PATCH("/api/v1/connections/{connection_id}", { params: { path: { connection_id: number(id) } }, body: { name: body.name, address: body.address, area_id: body.area_id, is_enabled: body.is_enabled, password: body.password ?? "", ...(body.username ? { username: body.username } : {}), ...(body.sets_options ? { options: connectionOptions(body.protocol, body.options) } : {}) } })),
  remove: (id) => ask(api.DELETE("/api/v1/connections/{connection_id}", { params: { path: { connection_id: number(id) } } })),
  impact: async (row) => {
    const found = await ask(api.GET("/api/v1/devices", { params: { query: { q: row.address, limit: 500 } } }));
    const own = found.items.filter((device) => device.connection_id === row.id).length;
    return words.connectionHits(found.next ? `${own}+` : own);
  },
});

const stateTone = (state: string): { tone: "info" | "planned" | "unknown"; shape: string } => (state === "active" ? { tone: "planned", shape: "■" } : ["planned", "pending"].includes(state) ? { tone: "info", shape: "◔" } : { tone: "unknown", shape: "○" });
const isOver = (state: string): boolean => !["active", "planned", "pending"].includes(state);

export const windows = erase<Schemas["WindowOut"], Schemas["WindowIn"]>({
  key: "windows", needs: "maintain", one: () => words.windows.one, many: () => frame.sections.windows, about: () => words.windows.about,
  list: () => allPages((cursor) => ask(api.GET("/api/v1/maintenance-windows", { params: { query: { limit: PAGE, cursor } } })), 1000),
  idOf: (row) => String(row.id), nameOf: (row) => row.reason, isOff: (row) => isOver(row.state),
  columns: [{ label: label("reason"), text: (row) => row.reason }, { label: label("state"), text: (row) => wordOf(labels.states, row.state), mark: (row) => stateTone(row.state) }, { label: () => words.forWhom, text: (row) => (row.device_id ? row.device_name : row.area_name) }, { label: () => fieldLabel("starts_at").replace(/[（(].*/, "").trim(), text: (row) => showTime(row.starts_at), isNarrow: true }, { label: label("ends_at"), text: (row) => showTime(row.ends_at), isNarrow: true }, { label: label("author"), text: (row) => row.author }],
  fields: [{ name: "area_id", kind: "area", hint: () => words.targetHint }, { name: "device_id", kind: "device" }, { name: "starts_at", kind: "moment" }, { name: "ends_at", kind: "moment", required: true }, { name: "reason", kind: "text", max: 500, required: true }],
  blank: () => ({ area_id: null, device_id: null, starts_at: null, ends_at: new Date(Math.ceil(site.now() / 60_000) * 60_000 + 4 * HOUR_MS).toISOString(), reason: "" }),
  bodyOf: (row) => ({ area_id: row.device_id ? null : row.area_id, device_id: row.device_id, starts_at: row.starts_at, ends_at: row.ends_at, reason: row.reason }),
  create: (body) => ask(api.POST("/api/v1/maintenance-windows", { body: oneTarget(body) })),
  remove: (id) => ask(api.POST("/api/v1/maintenance-windows/{window_id}/end", { params: { path: { window_id: number(id) } } })),
  removeWord: () => words.end, canRemove: (row) => !isOver(row.state),
});
/** A device names its area by itself. */
function oneTarget<T extends { area_id?: number | null; device_id?: number | null }>(body: T): T {
  return body.device_id ? { ...body, area_id: null } : body;
}

const LAYERS = ["answer_s", "stream_s", "frames_s", "inspect_s", "picture_s"] as const;
const LEAST = { answer_s: 5, stream_s: 5, frames_s: 30, inspect_s: 60, picture_s: 60 };
const target = { label: () => words.forWhom, text: (row: { area_id: number | null; device_class: string; device_id: number | null }) => (row.device_id ? labels.devices(1) + ` #${row.device_id}` : [areaName(row.area_id), row.device_class].filter(Boolean).join(" · ")) };
const TARGET_FIELDS: readonly Field[] = [{ name: "area_id", kind: "area", hint: () => words.targetHint }, { name: "device_class", kind: "text", max: 64, when: (draft) => !draft["device_id"] }, { name: "device_id", kind: "device" }];

export const intervals = erase<Schemas["IntervalOut"], Schemas["IntervalIn"]>({
  key: "intervals", needs: "maintain", one: () => words.intervals.one, many: () => frame.sections.intervals, about: () => words.intervals.about,
  list: () => allPages((cursor) => ask(api.GET("/api/v1/probe-intervals", { params: { query: { limit: PAGE, cursor } } }))),
  idOf: (row) => String(row.id), nameOf: (row) => target.text(row),
  columns: [target, ...LAYERS.map((name) => ({ label: label(name), text: (row: Schemas["IntervalOut"]) => (row[name] === null ? labels.inherits : span(row[name])) }))],
  fields: [...TARGET_FIELDS, ...LAYERS.map((name): Field => ({ name, kind: "seconds", min: LEAST[name], hint: () => labels.inherits }))],
  blank: () => ({ area_id: null, device_class: "", device_id: null, answer_s: null, stream_s: null, frames_s: null, inspect_s: null, picture_s: null }),
  bodyOf: ({ id: _, ...row }) => row,
  create: (body) => ask(api.POST("/api/v1/probe-intervals", { body: body.device_id ? { ...oneTarget(body), device_class: "" } : body })),
  remove: (id) => ask(api.DELETE("/api/v1/probe-intervals/{interval_id}", { params: { path: { interval_id: number(id) } } })),
});

const showThresholds = (thresholds: Record<string, number | null>): string => showFew(Object.entries(thresholds).map(([index, value]) => `${wordOf(stateWords.pictureFaults, index)} ${value ?? labels.notJudged}`), 4);
export const profiles = erase<Schemas["ProfileOut"], Schemas["ProfileIn"]>({
  key: "profiles", needs: "maintain", one: () => words.profiles.one, many: () => frame.sections.profiles, about: () => words.profiles.about,
  list: () => allPages((cursor) => ask(api.GET("/api/v1/picture-profiles", { params: { query: { limit: PAGE, cursor } } }))),
  idOf: (row) => String(row.id), nameOf: (row) => row.name,
  columns: [{ label: label("name"), text: (row) => row.name }, areaColumn, { label: label("thresholds"), text: (row) => showThresholds(row.thresholds as Record<string, number | null>) }],
  fields: [{ name: "name", kind: "text", max: 64, required: true }, { ...AREA, fixed: true }, { name: "thresholds", kind: "thresholds" }],
  blank: () => ({ area_id: null as unknown as number, name: "", thresholds: {} }),
  bodyOf: (row) => ({ area_id: row.area_id, name: row.name, thresholds: { ...row.thresholds } }),
  create: (body) => ask(api.POST("/api/v1/picture-profiles", { body })),
  change: (id, body) => ask(api.PUT("/api/v1/picture-profiles/{profile_id}", { params: { path: { profile_id: number(id) } }, body: { name: body.name, thresholds: body.thresholds } })),
  remove: (id) => ask(api.DELETE("/api/v1/picture-profiles/{profile_id}", { params: { path: { profile_id: number(id) } } })),
  impact: async (row) => {
    const used = await allPages((cursor) => ask(api.GET("/api/v1/picture-assignments", { params: { query: { limit: PAGE, cursor } } })));
    return words.profileHits(used.filter((one) => one.day_id === row.id || one.night_id === row.id).length);
  },
});

export const assignments = erase<Schemas["AssignmentOut"], Schemas["AssignmentIn"]>({
  key: "assignments", needs: "maintain", one: () => words.assignments.one, many: () => frame.sections.assignments, about: () => words.assignments.about, lookups: ["profiles"],
  list: () => allPages((cursor) => ask(api.GET("/api/v1/picture-assignments", { params: { query: { limit: PAGE, cursor } } }))),
  idOf: (row) => String(row.id), nameOf: (row) => target.text(row),
  columns: [target, { label: label("day_id"), text: (row) => lookups.profiles.name(row.day_id) }, { label: label("night_id"), text: (row) => lookups.profiles.name(row.night_id) }],
  fields: [...TARGET_FIELDS, { name: "day_id", kind: "look", of: "profiles", required: true }, { name: "night_id", kind: "look", of: "profiles", required: true }],
  blank: () => ({ area_id: null, device_class: "", device_id: null, day_id: null as unknown as number, night_id: null as unknown as number }),
  bodyOf: ({ id: _, ...row }) => row,
  create: (body) => ask(api.POST("/api/v1/picture-assignments", { body: body.device_id ? { ...oneTarget(body), device_class: "" } : body })),
  remove: (id) => ask(api.DELETE("/api/v1/picture-assignments/{assignment_id}", { params: { path: { assignment_id: number(id) } } })),
});
