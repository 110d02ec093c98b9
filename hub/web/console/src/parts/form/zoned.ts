// Local times of the site's zone and moments, both ways, by the browser's own zone data. Pure.
const made = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = made.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
    made.set(zone, format);
  }
  return format;
}

/** A moment as a field of local time takes it: "2026-11-22T03:04:05". */
export function localOf(at: string | number | Date, zone: string): string {
  return formatOf(zone).format(new Date(at)).replace(" ", "T");
}

/** The moment of a local time, as RFC 3339; null for none. A time that a change of the clock leaves out is none. */
export function momentOf(local: string, zone: string): string | null {
  const full = local.length === 16 ? `${local}:00` : local;
  const asUtc = Date.parse(`${full}Z`);
  if (Number.isNaN(asUtc)) return null;
  // The zone is this far ahead of UTC then, or a change of the clock away from it.
  for (const guess of [asUtc, asUtc - 3_600_000, asUtc + 3_600_000]) {
    const ahead = Date.parse(`${localOf(guess, zone)}Z`) - guess;
    if (localOf(asUtc - ahead, zone) === full) return new Date(asUtc - ahead).toISOString();
  }
  return null;
}
