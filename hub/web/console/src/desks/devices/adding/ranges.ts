// Address ranges as people type them: read, counted, and how long asking them takes at most.
export const MOST_HOSTS = 65_536;
const AT_ONCE = 400; // connections the hub holds open while it looks
const SILENT_S = 1; // how long it waits for an address where nobody is
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/;

export interface Ranges { ranges: string[]; addresses: number; wrong: string[] }

export function readRanges(text: string): Ranges {
  const parts = [...new Set(text.split(/[\s,;，；、]+/).filter(Boolean))];
  const found: Ranges = { ranges: [], addresses: 0, wrong: [] };
  for (const part of parts) {
    const hosts = hostsOf(part);
    if (hosts === null) found.wrong.push(part);
    else {
      found.ranges.push(part);
      found.addresses += hosts;
    }
  }
  return found;
}

/** How many hosts a range holds, null when it is none. IPv6 is left to the hub to count. */
export function hostsOf(range: string): number | null {
  if (range.includes(":")) return /^[0-9a-f:.]+(\/\d{1,3})?$/i.test(range) ? 1 : null;
  const match = IPV4.exec(range);
  if (!match || match.slice(1, 5).some((part) => Number(part) > 255)) return null;
  const bits = match[5] === undefined ? 32 : Number(match[5]);
  if (bits > 32) return null;
  return bits >= 31 ? 2 ** (32 - bits) : 2 ** (32 - bits) - 2;
}

/** Seconds a look takes when nobody answers. */
export const longestLook = (addresses: number, ports: number): number => Math.ceil((addresses * ports * SILENT_S) / AT_ONCE);

export function readPorts(text: string): number[] | null {
  const parts = text.split(/[\s,;，；、]+/).filter(Boolean);
  const ports = [...new Set(parts.map(Number))];
  return ports.every((port) => Number.isInteger(port) && port >= 1 && port <= 65_535) ? ports : null;
}

/** Words with commas between them, as tags are typed. */
export const readWords = (text: string): string[] => [...new Set(text.split(/[,，;；、\n]+/).map((one) => one.trim()).filter(Boolean))];
