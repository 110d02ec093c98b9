// The pictures of the next stops, fetched and decoded before somebody comes to them.
import { askBlob } from "$/hub/api";

export interface Wanted { key: string; path: string; alt: string }

export async function fetchImage(path: string, alt: string): Promise<HTMLImageElement> {
  const { blob } = await askBlob(path);
  const image = new Image();
  image.alt = alt;
  image.src = URL.createObjectURL(blob);
  await image.decode();
  return image;
}
export const release = (image: HTMLImageElement): void => URL.revokeObjectURL(image.src);

export class Album {
  #pictures = new Map<string, Promise<HTMLImageElement>>();

  constructor(private readonly fetch: (path: string, alt: string) => Promise<HTMLImageElement> = fetchImage) {}

  get(wanted: Wanted): Promise<HTMLImageElement> {
    const there = this.#pictures.get(wanted.key);
    if (there) return there;
    const coming = this.fetch(wanted.path, wanted.alt);
    this.#pictures.set(wanted.key, coming);
    // What failed is asked for again the next time.
    coming.catch(() => { if (this.#pictures.get(wanted.key) === coming) this.#pictures.delete(wanted.key); });
    return coming;
  }
  /** Have these fetched, and let all others go. */
  hold(all: readonly Wanted[]): void {
    const keys = new Set(all.map((one) => one.key));
    for (const [key, coming] of this.#pictures) {
      if (keys.has(key)) continue;
      this.#pictures.delete(key);
      coming.then(release, () => undefined);
    }
    for (const one of all) this.get(one).catch(() => undefined);
  }
}
