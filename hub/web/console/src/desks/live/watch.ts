// Watches whether new pictures appear on the screen: what the decoder shows counts, not what was sent.
const LOOK_EVERY_MS = 200; // a callback for each picture of 25 tiles would cost more than it tells

export function watchFrames(video: HTMLVideoElement, seen: (at: number) => void): () => void {
  let isOver = false;
  let timer = 0;
  let handle = 0;
  const look = (): void => {
    handle = video.requestVideoFrameCallback(() => {
      if (isOver) return;
      seen(Date.now());
      timer = window.setTimeout(look, LOOK_EVERY_MS);
    });
  };
  look();
  return () => {
    isOver = true;
    window.clearTimeout(timer);
    video.cancelVideoFrameCallback(handle);
  };
}

const heartbeats = new Set<() => void>();
let heart = 0;
/** Four times a second, one clock for all tiles. */
export function everyQuarter(act: () => void): () => void {
  heartbeats.add(act);
  if (!heart) heart = window.setInterval(() => heartbeats.forEach((one) => one()), 250);
  return () => {
    heartbeats.delete(act);
    if (heartbeats.size) return;
    window.clearInterval(heart);
    heart = 0;
  };
}
