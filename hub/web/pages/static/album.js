// The pictures of the next stops, fetched and decoded before somebody comes to them.

import { call } from "./api.js";

// `pathOf(stop)` is where a stop is in the API, `keyOf(stop)` names it as it was looked at.
export function makeAlbum({ el, pathOf, keyOf }) {
  const pictures = new Map(); // key → promise of a decoded image

  function get(stop) {
    const key = keyOf(stop);
    if (!pictures.has(key)) {
      const coming = fetchImage(`${pathOf(stop)}/picture?sha256=${stop.picture_sha256}`, stop.device_name);
      coming.catch(() => pictures.delete(key)); // asked for again the next time
      pictures.set(key, coming);
    }
    return pictures.get(key);
  }

  async function fetchImage(path, name) {
    const image = el("img", { alt: name });
    image.src = URL.createObjectURL(await call("GET", path));
    await image.decode();
    return image;
  }

  // Has the pictures of these stops fetched, and lets all others go.
  function hold(stops) {
    const wanted = stops.filter((stop) => stop.has_picture);
    const keys = new Set(wanted.map(keyOf));
    for (const [key, coming] of pictures) {
      if (keys.has(key)) continue;
      pictures.delete(key);
      coming.then(release, () => {});
    }
    wanted.forEach(get);
  }

  const release = (image) => URL.revokeObjectURL(image.src);

  return { get, hold, fetchImage, release };
}
