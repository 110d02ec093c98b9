// Our own tones, made on the spot. Critical: three quick rising pairs. Warning: two soft strokes, like a
// watchman's clapper. Notice: one low stroke.
interface Stroke { at: number; hz: number; s: number; loud: number; shape: OscillatorType }
const TONES: Record<string, readonly Stroke[]> = {
  critical: [0, 0.34, 0.68].flatMap((at) => [{ at, hz: 784, s: 0.12, loud: 0.9, shape: "square" as const }, { at: at + 0.13, hz: 1175, s: 0.15, loud: 0.9, shape: "square" as const }]),
  warning: [{ at: 0, hz: 587, s: 0.28, loud: 0.8, shape: "triangle" }, { at: 0.32, hz: 494, s: 0.36, loud: 0.8, shape: "triangle" }],
  info: [{ at: 0, hz: 392, s: 0.3, loud: 0.6, shape: "sine" }],
};

export function play(context: AudioContext, severity: string, volume: number): void {
  for (const stroke of TONES[severity] ?? []) {
    const from = context.currentTime + 0.02 + stroke.at;
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    const peak = Math.max(0.0002, stroke.loud * volume * (stroke.shape === "square" ? 0.25 : 0.7));
    oscillator.type = stroke.shape;
    oscillator.frequency.value = stroke.hz;
    gain.gain.setValueAtTime(0.0001, from);
    gain.gain.exponentialRampToValueAtTime(peak, from + 0.015);
    gain.gain.exponentialRampToValueAtTime(0.0001, from + stroke.s);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(from);
    oscillator.stop(from + stroke.s + 0.02);
  }
}
