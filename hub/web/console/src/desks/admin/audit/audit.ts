// What the audit log is asked for, as it stands in the address; where what a line is about can be seen. Pure.
export interface Query { actor?: string; action?: string; object_type?: string; object_id?: string; area?: number; q?: string; since?: string; until?: string }
const WORDS = ["actor", "action", "object_type", "object_id", "q", "since", "until"] as const;

export function readQuery(address: URLSearchParams): Query {
  const found: Query = {};
  for (const key of WORDS) {
    const value = address.get(key);
    if (value) found[key] = value;
  }
  const area = Number(address.get("area"));
  if (Number.isInteger(area) && area > 0) found.area = area;
  return found;
}

/** The address of the file with the same lines. */
export function fileAddress(query: Query): string {
  const text = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)])).toString();
  return `/api/v1/audit/file${text ? `?${text}` : ""}`;
}

const PAGES: Record<string, (id: string) => string> = {
  user: (id) => `/admin/people/${id}`, rule: (id) => `/admin/rules/${id}`, device: (id) => `/devices/${id}`, alert: (id) => `/alerts/${id}`, connection: (id) => `/admin/connections/${id}`, silence: (id) => `/admin/silences/${id}`,
  receiver: (id) => `/admin/receivers/${id}`, route: (id) => `/admin/routes/${id}`, policy: (id) => `/admin/policies/${id}`, dispatch: (id) => `/dispatch/${id}`, shift: (id) => `/admin/shifts/${id}`, field_unit: (id) => `/admin/units/${id}`, duty_room: (id) => `/admin/duty-rooms/${id}`,
};
/** Where in the console the object of a line is, null for what has no page. */
export function pageOf(type: string, id: string): string | null {
  const make = PAGES[type];
  return make && /^\d+$/.test(id) ? make(id) : null;
}

/** The details of a line, "name: Gate · fields: a, b"; what is empty is left out. */
export function detailOf(detail: Record<string, unknown>): string {
  const isEmpty = (value: unknown): boolean => value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
  return Object.entries(detail).filter(([, value]) => !isEmpty(value)).map(([key, value]) => `${key}: ${typeof value === "string" ? value : Array.isArray(value) ? value.map((one) => (typeof one === "object" ? JSON.stringify(one) : String(one))).join(", ") : JSON.stringify(value)}`).join(" · ");
}
