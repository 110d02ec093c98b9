// G.711, as cameras speak it: A-law and µ-law to samples of -1 to 1 and back (ITU-T G.711). Pure.
export type Codec = "pcma" | "pcmu";
export const RATE = 8000;

const FULL = 32_768;

export function decode(codec: Codec, data: Uint8Array): Float32Array<ArrayBuffer> {
  const table = codec === "pcma" ? alaw : ulaw;
  return Float32Array.from(data, (byte) => table[byte] ?? 0);
}
export function encode(codec: Codec, samples: Float32Array): Uint8Array<ArrayBuffer> {
  const one = codec === "pcma" ? toAlaw : toUlaw;
  return Uint8Array.from(samples, (sample) => one(Math.max(-FULL, Math.min(FULL - 1, Math.round(sample * FULL)))));
}

const alaw = Float32Array.from({ length: 256 }, (_none, byte) => {
  const bits = byte ^ 0x55;
  const segment = (bits >> 4) & 7;
  const step = ((bits & 15) << 4) + 8;
  const size = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return (bits & 0x80 ? size : -size) / FULL;
});
const ulaw = Float32Array.from({ length: 256 }, (_none, byte) => {
  const bits = ~byte & 0xff;
  const size = ((((bits & 15) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
  return (bits & 0x80 ? -size : size) / FULL;
});
function toAlaw(sample: number): number {
  const [sign, size] = sample >= 0 ? [0x80, sample] : [0, -sample - 1];
  const steps = Math.min(size, 32_635) >> 3;
  const segment = Math.max(32 - Math.clz32(steps) - 5, 0);
  return (sign | (segment << 4) | ((steps >> Math.max(segment, 1)) & 15)) ^ 0x55;
}
function toUlaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const size = Math.min(Math.abs(sample), 32_635) + 0x84;
  const segment = 31 - Math.clz32(size) - 7;
  return ~(sign | (segment << 4) | ((size >> (segment + 3)) & 15)) & 0xff;
}
