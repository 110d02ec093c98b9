// Receivers, routes, deadlines, duties, policies, silences, drills, holidays.
import { api, ask, type Schemas } from "$/hub/api";
import { showTime, site } from "$/hub/site.svelte";
import { stateWords, wordOf } from "$/parts/states";
import { areaName, choices, fieldLabel, labels, showFew, showHours, showMatcher, span } from "../generic/labels";
import { lookups } from "../generic/lookups.svelte";
import { allPages, erase, type Column, type Field, type Shape } from "../generic/spec";
import { words } from "./words";
import { words as frame } from "../words";

const PAGE = 200;
const label = (name: string) => (): string => fieldLabel(name);
const number = (id: string): number => Number(id);
const NAME: Field = { name: "name", kind: "text", required: true };
const AREA: Field = { name: "area_id", kind: "area", required: true };
const ON: Field = { name: "is_enabled", kind: "switch" };
const NO_MATCHER: Schemas["MatcherIn"] = { severities: [], rule_ids: [], device_ids: [], classes: [], tags: [] };
const areaColumn = { label: label("area_id"), text: (row: { area_id: number }) => areaName(row.area_id) };
const onColumn: Column<{ is_enabled: boolean }> = { label: label("is_enabled"), text: (row) => (row.is_enabled ? labels.on : labels.off), mark: (row) => (row.is_enabled ? null : { tone: "unknown", shape: "■" }) };
const severity = { label: label("severity"), text: (row: { severity: string }) => wordOf(stateWords.severities, row.severity), mark: (row: { severity: string }) => (row.severity === "critical" ? { tone: "bad" as const, shape: "▲" } : row.severity === "warning" ? { tone: "warn" as const, shape: "◆" } : { tone: "info" as const, shape: "●" }) };
const option = (all: object) => (): { value: string; label: string }[] => Object.entries(all).map(([value, said]) => ({ value, label: String(said) }));
const isKind = (...kinds: string[]) => (draft: Shape): boolean => kinds.includes(String(draft["kind"]));

type ReceiverBody = Schemas["ReceiverIn"] & { has_secret?: boolean };
const sentReceiver = ({ has_secret: _, ...body }: ReceiverBody): Schemas["ReceiverIn"] => ({ ...body, options: optionsOf(body.kind, body.options ?? {}) });
const RECEIVER_OPTIONS: Record<string, readonly string[]> = { webhook: ["address", "format"], smtp: ["host", "port", "tls", "username", "sender", "recipients", "language"], mqtt: ["topic", "qos", "retain"], apprise: ["language"] };
/** Only what belongs to the kind is sent: the others may have been typed before the kind was changed. */
export function optionsOf(kind: string, options: Shape): Shape {
  return Object.fromEntries((RECEIVER_OPTIONS[kind] ?? []).filter((key) => options[key] !== undefined && options[key] !== null && options[key] !== "").map((key) => [key, options[key]]));
}
const hidden = (draft: Shape): boolean => Object.values((draft["options"] ?? {}) as Shape).some((value) => typeof value === "string" && value.endsWith("***"));

export const receivers = erase<Schemas["ReceiverOut"], ReceiverBody>({
  key: "receivers", needs: "plan", one: () => words.receivers.one, many: () => frame.sections.receivers, about: () => words.receivers.about,
  list: () => allPages((cursor) => ask(api.GET("/api/v1/receivers", { params: { query: { limit: PAGE, cursor } } }))),
  idOf: (row) => String(row.id), nameOf: (row) => row.name, isOff: (row) => !row.is_enabled,
  columns: [
    { label: label("name"), text: (row) => row.name }, { label: label("kind"), text: (row) => wordOf(labels.kinds, row.kind) }, areaColumn,
    { label: label("state"), text: (row) => (!row.is_enabled ? words.silent : row.failing_since ? `${words.failing} (${showTime(row.failing_since)})` : row.is_template_failing ? words.templateFailing : words.working), mark: (row) => (!row.is_enabled ? { tone: "unknown", shape: "■" } : row.failing_since ? { tone: "bad", shape: "✖" } : row.is_template_failing ? { tone: "warn", shape: "◮" } : { tone: "good", shape: "●" }) },
  ],
  fields: [
    NAME, AREA, { name: "kind", kind: "one", options: choices.receiverKinds, required: true },
    { name: "options.address", kind: "text", max: 2048, required: true, when: isKind("webhook"), label: () => words.options.address, hint: (draft) => (hidden(draft) ? words.maskedHint : "") },
    { name: "options.format", kind: "one", options: () => option(words.formats)(), when: isKind("webhook"), label: () => words.options.format },
    { name: "options.host", kind: "text", required: true, when: isKind("smtp"), label: () => words.options.host }, { name: "options.port", kind: "number", min: 1, max: 65535, step: 1, required: true, when: isKind("smtp"), label: () => words.options.port },
    { name: "options.tls", kind: "one", options: () => option(words.tls)(), when: isKind("smtp"), label: () => words.options.tls }, { name: "options.username", kind: "text", max: 256, when: isKind("smtp"), label: () => words.options.username },
    { name: "options.sender", kind: "text", required: true, when: isKind("smtp"), label: () => words.options.sender }, { name: "options.recipients", kind: "tags", when: isKind("smtp"), label: () => words.options.recipients },
    { name: "options.topic", kind: "text", max: 256, required: true, when: isKind("mqtt"), label: () => words.options.topic }, { name: "options.retain", kind: "switch", when: isKind("mqtt"), label: () => words.options.retain },
    { name: "options.language", kind: "one", options: () => option(words.languages)(), when: isKind("smtp", "apprise"), label: () => words.options.language },
    { name: "secret", kind: "secret", max: 4096, when: isKind("webhook", "smtp", "apprise"), hint: (draft) => [wordOf(words.secretHint, String(draft["kind"])), draft["has_secret"] ? words.secretKept : ""].filter(Boolean).join(" · ") },
    { name: "most_a_minute", kind: "number", min: 1, max: 600, step: 1, required: true }, { name: "template", kind: "text", rows: 4, max: 8192 }, ON,
  ],
  blank: () => ({ name: "", area_id: null as unknown as number, kind: "webhook", options: { format: "gengfu", port: 587, tls: "starttls", language: "zh", recipients: [], qos: 1, retain: false }, secret: "", template: "", most_a_minute: 12, is_enabled: true, has_secret: false }),
  bodyOf: (row) => ({ name: row.name, area_id: row.area_id, kind: row.kind, options: { ...row.options }, secret: "", template: row.template, most_a_minute: row.most_a_minute, is_enabled: row.is_enabled, has_secret: row.has_secret }),
  create: (body) => ask(api.POST("/api/v1/receivers", { body: sentReceiver(body) })),
  change: (id, body) => ask(api.PUT("/api/v1/receivers/{receiver_id}", { params: { path: { receiver_id: number(id) } }, body: sentReceiver(body) })),
  remove: (id) => ask(api.DELETE("/api/v1/receivers/{receiver_id}", { params: { path: { receiver_id: number(id) } } })),
  async impact(row) {
    const [routes, duties] = await Promise.all([
      allPages((cursor) => ask(api.GET("/api/v1/routes", { params: { query: { limit: PAGE, cursor } } }))), allPages((cursor) => ask(api.GET("/api/v1/duties", { params: { query: { limit: PAGE, cursor } } }))),
    ]);
    return words.receiverHits(routes.filter((one) => one.receivers.includes(row.id)).length, duties.filter((one) => one.receiver_id === row.id).length);
  },
});

export const routes = erase<Schemas["RouteOut"], Schemas["RouteIn"]>({
  key: "routes", needs: "plan", one: () => words.routes.one, many: () => frame.sections.routes, about: () => words.routes.about, lookups: ["receivers", "rules"],
  list: () => allPages((cursor) => ask(api.GET("/api/v1/routes", { params: { query: { limit: PAGE, cursor } } }))),
  idOf: (row) => String(row.id), nameOf: (row) => row.name, isOff: (row) => !row.is_enabled,
  columns: [{ label: label("name"), text: (row) => row.name }, areaColumn, { label: label("matcher"), text: (row) => showMatcher(row.matcher) }, { label: label("receivers"), text: (row) => showFew(row.receivers.map((id) => lookups.receivers.name(id))) }, { label: label("hours"), text: (row) => showHours(row.hours) }, onColumn],
  fields: [NAME, AREA, { name: "receivers", kind: "look", of: "receivers", many: true, required: true }, { name: "matcher", kind: "matcher" }, { name: "hours", kind: "hours" }, ON],
  blank: () => ({ name: "", area_id: null as unknown as number, matcher: { ...NO_MATCHER }, hours: null, receivers: [], is_enabled: true }),
  bodyOf: ({ id: _, ...row }) => ({ ...row, matcher: { ...row.matcher }, receivers: [...row.receivers] }),
  create: (body) => ask(api.POST("/api/v1/routes", { body })),
  change: (id, body) => ask(api.PUT("/api/v1/routes/{route_id}", { params: { path: { route_id: number(id) } }, body })),
  remove: (id) => ask(api.DELETE("/api/v1/routes/{route_id}", { params: { path: { route_id: number(id) } } })),
  impact: async (row) => words.routeHits(showFew(row.receivers.map((id) => lookups.receivers.name(id)), 5)),
});

export const deadlines = erase<Schemas["DeadlinesOut"], Schemas["DeadlinesIn"]>({
  key: "deadlines", needs: "plan", one: () => words.deadlines.one, many: () => frame.sections.deadlines, about: () => words.deadlines.about,
  list: () => allPages((cursor) => ask(api.GET("/api/v1/deadlines", { params: { query: { limit: PAGE, cursor } } }))),
  idOf: (row) => String(row.id), nameOf: (row) => `${areaName(row.area_id)} · ${wordOf(stateWords.severities, row.severity)}`,
  columns: [{ label: label("area_id"), text: (row) => areaName(row.area_id) }, severity, { label: label("acknowledge_s"), text: (row) => span(row.acknowledge_s) }, { label: label("resolve_s"), text: (row) => span(row.resolve_s) }],
  fields: [AREA, { name: "severity", kind: "one", options: choices.severities, required: true }, { name: "acknowledge_s", kind: "seconds", min: 1 }, { name: "resolve_s", kind: "seconds", min: 1 }, { name: "yellow_share", kind: "share", required: true }],
  blank: () => ({ area_id: null as unknown as number, severity: "critical", acknowledge_s: 300, resolve_s: null, yellow_share: 0.25 }),
  bodyOf: ({ id: _, ...row }) => row,
  create: (body) => ask(api.POST("/api/v1/deadlines", { body })),
  change: (id, body) => ask(api.PUT("/api/v1/deadlines/{deadlines_id}", { params: { path: { deadlines_id: number(id) } }, body })),
  remove: (id) => ask(api.DELETE("/api/v1/deadlines/{deadlines_id}", { params: { path: { deadlines_id: number(id) } } })),
});

export const duties = erase<Schemas["DutyOut"], Schemas["DutyIn"]>({
  key: "duties", needs: "plan", one: () => words.duties.one, many: () => frame.sections.duties, about: () => words.duties.about, lookups: ["receivers"],
  list: () => allPages((cursor) => ask(api.GET("/api/v1/duties", { params: { query: { limit: PAGE, cursor } } }))),
  idOf: (row) => String(row.id), nameOf: (row) => `${areaName(row.area_id)} · ${lookups.receivers.name(row.receiver_id)}`,
  columns: [{ label: label("area_id"), text: (row) => areaName(row.area_id) }, { label: label("receiver_id"), text: (row) => lookups.receivers.name(row.receiver_id) }, { label: label("hours"), text: (row) => showHours(row.hours) }],
  fields: [AREA, { name: "receiver_id", kind: "look", of: "receivers", required: true }, { name: "hours", kind: "hours" }],
  blank: () => ({ area_id: null as unknown as number, receiver_id: null as unknown as number, hours: null }),
  bodyOf: ({ id: _, ...row }) => row,
  create: (body) => ask(api.POST("/api/v1/duties", { body })),
  change: (id, body) => ask(api.PUT("/api/v1/duties/{duty_id}", { params: { path: { duty_id: number(id) } }, body })),
  remove: (id) => ask(api.DELETE("/api/v1/duties/{duty_id}", { params: { path: { duty_id: number(id) } } })),
});

export const policies = erase<Schemas["PolicyOut"], Schemas["PolicyIn"]>({
  key: "policies", needs: "plan", one: () => words.policies.one, many: () => frame.sections.policies, about: () => words.policies.about, lookups: ["receivers", "rules"],
  list: () => allPages((cursor) => ask(api.GET("/api/v1/policies", { params: { query: { limit: PAGE, cursor } } }))),
  idOf: (row) => String(row.id), nameOf: (row) => row.name, isOff: (row) => !row.is_enabled,
  columns: [{ label: label("name"), text: (row) => row.name }, areaColumn, { label: label("matcher"), text: (row) => showMatcher(row.matcher) }, { label: label("steps"), text: (row) => labels.steps(row.steps.length) }, { label: label("until"), text: (row) => wordOf(labels.untils, row.until) }, onColumn],
  fields: [NAME, AREA, { name: "matcher", kind: "matcher" }, { name: "steps", kind: "steps", required: true }, { name: "until", kind: "one", options: choices.untils, required: true }, ON],
  blank: () => ({ name: "", area_id: null as unknown as number, matcher: { ...NO_MATCHER }, steps: [{ wait_s: 300, climb: 1, receivers: [], repeats: 0, every_s: 300, hours: null, waits_for_hours: false }], until: "acknowledged", is_enabled: true }),
  bodyOf: ({ id: _, ...row }) => ({ ...row, matcher: { ...row.matcher }, steps: row.steps.map((step) => ({ ...step, receivers: [...step.receivers] })) }),
  create: (body) => ask(api.POST("/api/v1/policies", { body })),
  change: (id, body) => ask(api.PUT("/api/v1/policies/{policy_id}", { params: { path: { policy_id: number(id) } }, body })),
  remove: (id) => ask(api.DELETE("/api/v1/policies/{policy_id}", { params: { path: { policy_id: number(id) } } })),
});

const HOUR_MS = 3_600_000;
const isOver = (state: string): boolean => !["active", "planned", "pending"].includes(state);
const stateMark = (row: { state: string }): { tone: "info" | "planned" | "unknown"; shape: string } => (row.state === "active" ? { tone: "planned", shape: "■" } : isOver(row.state) ? { tone: "unknown", shape: "○" } : { tone: "info", shape: "◔" });
const stateColumn = { label: label("state"), text: (row: { state: string }) => wordOf(labels.states, row.state), mark: stateMark };
const when = (name: "starts_at" | "ends_at") => ({ label: () => fieldLabel(name).replace(/[（(].*/, "").trim(), text: (row: { starts_at: string; ends_at: string }) => showTime(row[name]), isNarrow: true });

export const silences = erase<Schemas["SilenceOut"], Schemas["SilenceIn"]>({
  key: "silences", needs: "plan", one: () => words.silences.one, many: () => frame.sections.silences, about: () => words.silences.about, lookups: ["rules"],
  list: () => allPages((cursor) => ask(api.GET("/api/v1/silences", { params: { query: { limit: PAGE, cursor } } })), 1000),
  idOf: (row) => String(row.id), nameOf: (row) => row.reason, isOff: (row) => isOver(row.state),
  columns: [{ label: label("reason"), text: (row) => row.reason, sub: (row) => row.author }, stateColumn, { label: label("matcher"), text: (row) => showMatcher(row.matcher), sub: (row) => areaName(row.area_id) }, { label: label("quiets"), text: (row) => String(row.quiets) }, when("starts_at"), when("ends_at")],
  fields: [{ ...AREA, fixed: true }, { name: "reason", kind: "text", max: 1024, required: true, fixed: true }, { name: "matcher", kind: "matcher", when: (_draft, isNew) => isNew }, { name: "starts_at", kind: "moment", fixed: true }, { name: "ends_at", kind: "moment", required: true, hint: () => words.endsHint }],
  blank: () => ({ area_id: null as unknown as number, matcher: { ...NO_MATCHER }, reason: "", starts_at: null, ends_at: new Date(Math.ceil(site.now() / 60_000) * 60_000 + 2 * HOUR_MS).toISOString() }),
  bodyOf: (row) => ({ area_id: row.area_id, matcher: { ...row.matcher }, reason: row.reason, starts_at: row.starts_at, ends_at: row.ends_at }),
  create: (body) => ask(api.POST("/api/v1/silences", { body })),
  change: (id, body) => ask(api.PUT("/api/v1/silences/{silence_id}", { params: { path: { silence_id: number(id) } }, body: { ends_at: body.ends_at } })),
  remove: (id) => ask(api.DELETE("/api/v1/silences/{silence_id}", { params: { path: { silence_id: number(id) } } })),
  removeWord: () => words.end, canChange: (row) => !isOver(row.state), canRemove: (row) => !isOver(row.state),
});

export const drills = erase<Schemas["DrillOut"], Schemas["DrillIn"]>({
  key: "drills", needs: "plan", one: () => words.drills.one, many: () => frame.sections.drills, about: () => words.drills.about, lookups: ["rules"],
  list: () => allPages((cursor) => ask(api.GET("/api/v1/drills", { params: { query: { limit: PAGE, cursor } } })), 1000),
  idOf: (row) => String(row.id), nameOf: (row) => row.name, isOff: (row) => row.ended_at !== null,
  columns: [{ label: label("name"), text: (row) => row.name }, { label: label("state"), text: (row) => (row.ended_at ? labels.states.over : labels.states.active), mark: (row) => (row.ended_at ? { tone: "unknown", shape: "○" } : { tone: "planned", shape: "■" }) }, areaColumn, { label: label("rule_id"), text: (row) => lookups.rules.name(row.rule_id) }, { label: label("device_ids"), text: (row) => labels.devices(row.device_ids.length) }, { label: label("started_at"), text: (row) => showTime(row.started_at), isNarrow: true }, { label: label("author"), text: (row) => row.author }],
  fields: [NAME, AREA, { name: "rule_id", kind: "look", of: "rules", required: true }, { name: "device_ids", kind: "devices", required: true }, { name: "ends_in_s", kind: "seconds", min: 1, max: 86_400, required: true, when: (_draft, isNew) => isNew }],
  blank: () => ({ name: "", area_id: null as unknown as number, rule_id: null as unknown as number, device_ids: [], ends_in_s: 3600 }),
  bodyOf: (row) => ({ name: row.name, area_id: row.area_id, rule_id: row.rule_id, device_ids: [...row.device_ids], ends_in_s: 3600 }),
  create: (body) => ask(api.POST("/api/v1/drills", { body })),
  remove: (id) => ask(api.POST("/api/v1/drills/{drill_id}/end", { params: { path: { drill_id: number(id) } } })),
  removeWord: () => words.end, canRemove: (row) => row.ended_at === null,
});

export const holidays = erase<Schemas["HolidayOut"], Schemas["HolidayOut"]>({
  key: "holidays", needs: "administer", one: () => words.holidays.one, many: () => frame.sections.holidays, about: () => words.holidays.about,
  list: async () => (await ask(api.GET("/api/v1/holidays"))).items.toReversed(),
  idOf: (row) => row.day, nameOf: (row) => `${row.day} ${row.name}`,
  columns: [{ label: label("day"), text: (row) => row.day }, { label: label("name"), text: (row) => row.name }, { label: label("is_working"), text: (row) => (row.is_working ? labels.yes : labels.no) }],
  fields: [{ name: "day", kind: "date", required: true, fixed: true }, { ...NAME, max: 64, kind: "text" }, { name: "is_working", kind: "switch" }],
  blank: () => ({ day: "", name: "", is_working: false }), bodyOf: (row) => ({ ...row }),
  create: ({ day, ...body }) => ask(api.PUT("/api/v1/holidays/{day}", { params: { path: { day } }, body })),
  change: (day, { day: _, ...body }) => ask(api.PUT("/api/v1/holidays/{day}", { params: { path: { day } }, body })),
  remove: (day) => ask(api.DELETE("/api/v1/holidays/{day}", { params: { path: { day } } })),
});
