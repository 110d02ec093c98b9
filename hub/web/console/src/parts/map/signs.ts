// The signs of a map, drawn once: a shape for each state, so that nothing hangs on a colour alone.
import type { Chart } from "./engine";
import type { Palette } from "./palette";

/** In this order everywhere on the map: a state is a place in it. */
export const STATES = ["online", "offline", "degraded", "unknown", "maintenance"] as const;
export type State = (typeof STATES)[number];

const RATIO = 2;
const PARTS = 16; // of a ring
const SIZE = 22;

type Pen = CanvasRenderingContext2D;
function draw(size: number, work: (pen: Pen) => void): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * RATIO;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("no canvas");
  pen.scale(RATIO, RATIO);
  pen.lineJoin = pen.lineCap = "round";
  work(pen);
  return pen.getImageData(0, 0, size * RATIO, size * RATIO);
}

/** Every sign of single devices: "state-0" … "state-4", "alert-1" … "alert-3", tasks, units, "chosen". */
export function addSigns(chart: Chart, palette: Palette): void {
  const middle = SIZE / 2;
  // As tight as they can be: a map of thousands is mostly these.
  const shapes: Record<State, [number, (pen: Pen, middle: number) => void]> = {
    online: [14, (pen, mid) => { disc(pen, mid, 5.2); fill(pen, palette.good, palette.card); }],
    offline: [18, (pen, mid) => { cross(pen, mid, 5); pen.strokeStyle = palette.card; pen.lineWidth = 7; pen.stroke(); pen.strokeStyle = palette.bad; pen.lineWidth = 4; pen.stroke(); }],
    degraded: [20, (pen, mid) => { polygon(pen, [[mid, 2], [18.5, 17.5], [1.5, 17.5]]); fill(pen, palette.warn, palette.card); mark(pen, "!", palette.isDark ? palette.paper : palette.ink, mid, 13); }],
    unknown: [17, (pen, mid) => { disc(pen, mid, 7); pen.fillStyle = palette.card; pen.fill(); pen.strokeStyle = palette.unknown; pen.lineWidth = 2; pen.stroke(); mark(pen, "?", palette.ink, mid, mid + 0.5); }],
    maintenance: [16, (pen) => { polygon(pen, [[2.5, 2.5], [13.5, 2.5], [13.5, 13.5], [2.5, 13.5]]); fill(pen, palette.planned, palette.card); }],
  };
  STATES.forEach((state, at) => {
    const [size, shape] = shapes[state];
    put(chart, `state-${at}`, draw(size, (pen) => shape(pen, size / 2)));
  });
  [palette.info, palette.warn, palette.bad].forEach((colour, at) => put(chart, `alert-${at + 1}`, draw(SIZE, (pen) => {
    disc(pen, middle, 9.5); pen.strokeStyle = colour; pen.lineWidth = 2.5; pen.setLineDash(at === 2 ? [] : at === 1 ? [5, 3] : [1.5, 3.5]); pen.stroke();
  })));
  put(chart, "chosen", draw(40, (pen) => {
    disc(pen, 20, 16); pen.strokeStyle = palette.card; pen.lineWidth = 7; pen.stroke(); pen.strokeStyle = palette.main; pen.lineWidth = 3.5; pen.stroke();
  }));
  ([["green", palette.good], ["yellow", palette.warn], ["red", palette.bad]] as const).forEach(([name, colour]) => put(chart, `task-${name}`, draw(SIZE, (pen) => {
    if (name === "green") disc(pen, middle, 7);
    else polygon(pen, name === "yellow" ? [[middle, 2], [20, middle], [middle, 20], [2, middle]] : [[4, 4], [18, 4], [18, 18], [4, 18]]);
    pen.fillStyle = colour; pen.fill(); pen.strokeStyle = palette.ink; pen.lineWidth = 2; pen.stroke();
  })));
  put(chart, "unit", draw(SIZE, (pen) => {
    polygon(pen, [[middle, 20], [4, 9], [middle, 2], [18, 9]]); fill(pen, palette.info, palette.card);
    disc(pen, middle, 3); pen.fillStyle = palette.card; pen.fill();
  }));
  put(chart, "place", draw(SIZE, (pen) => { disc(pen, middle, 5.5); fill(pen, palette.main, palette.card); }));
}

/**
 * The ring of a group, "ring/<size>/<offline>/<degraded>/<unknown>/<maintenance>" in sixteenths, drawn
 * when it is first needed: what is offline stands out of the ring, what is unknown is a gap in it.
 */
export function drawRing(id: string, palette: Palette): ImageData | null {
  const [kind, ...numbers] = id.split("/");
  const [size = 0, ...shares] = numbers.map(Number);
  if (kind !== "ring" || shares.length !== 4 || !(size >= 20 && size <= 120)) return null;
  const colours = [palette.bad, palette.warn, palette.unknown, palette.planned];
  return draw(size, (pen) => {
    const middle = size / 2;
    const radius = middle - 5;
    disc(pen, middle, radius); pen.fillStyle = palette.card; pen.fill();
    let at = 0;
    const arc = (parts: number, colour: string, width: number, dash: number[]): void => {
      if (parts <= 0) return;
      pen.beginPath(); pen.lineCap = "butt"; pen.setLineDash(dash);
      pen.arc(middle, middle, radius, turn(at), turn(at + parts));
      pen.strokeStyle = colour; pen.lineWidth = width; pen.stroke(); pen.setLineDash([]);
      at += parts;
    };
    shares.forEach((share, index) => arc(Math.min(share, PARTS - at), colours[index] ?? palette.unknown, index === 0 ? 8 : 5, index === 2 ? [3, 3] : []));
    arc(PARTS - at, palette.good, 3.5, []);
  });
}
const turn = (part: number): number => (part / PARTS) * 2 * Math.PI - Math.PI / 2;

export function put(chart: Chart, id: string, image: ImageData): void {
  if (!chart.hasImage(id)) chart.addImage(id, image, { pixelRatio: RATIO });
}
function disc(pen: Pen, middle: number, radius: number): void {
  pen.beginPath(); pen.arc(middle, middle, radius, 0, 2 * Math.PI);
}
function cross(pen: Pen, middle: number, reach: number): void {
  pen.beginPath(); pen.moveTo(middle - reach, middle - reach); pen.lineTo(middle + reach, middle + reach);
  pen.moveTo(middle + reach, middle - reach); pen.lineTo(middle - reach, middle + reach);
}
function polygon(pen: Pen, corners: [number, number][]): void {
  pen.beginPath(); corners.forEach(([x, y], at) => (at ? pen.lineTo(x, y) : pen.moveTo(x, y))); pen.closePath();
}
function fill(pen: Pen, colour: string, rim: string): void {
  pen.strokeStyle = rim; pen.lineWidth = 3; pen.stroke(); pen.fillStyle = colour; pen.fill();
}
function mark(pen: Pen, text: string, colour: string, x: number, y: number): void {
  pen.fillStyle = colour; pen.font = "bold 11px sans-serif"; pen.textAlign = "center"; pen.textBaseline = "middle"; pen.fillText(text, x, y);
}
