// Makes a photo small before it is sent: upright, drawn anew, so nothing of place or device goes along.

const LONGEST_SIDE = 1600;
const QUALITY = 0.8;
const MOST_BYTES = 12 * 1024 * 1024;

// Returns a Blob to send; null when the browser cannot read it and it is too large as it stands.
export async function shrink(file) {
  try {
    const seen = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST_SIDE / Math.max(seen.width, seen.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(seen.width * scale));
    canvas.height = Math.max(1, Math.round(seen.height * scale));
    canvas.getContext("2d").drawImage(seen, 0, 0, canvas.width, canvas.height);
    seen.close();
    const small = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    if (small) return small;
  } catch { /* a format this browser does not know: the hub may */ }
  return file.size <= MOST_BYTES ? file : null;
}
