// Runs beside the page, in the browser's sound thread: hands over what the microphone hears, 20 ms at a time.
const SIZE = 160;

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.kept = new Float32Array(SIZE);
    this.count = 0;
  }
  process([input]) {
    for (const sample of input[0] ?? []) {
      this.kept[this.count++] = sample;
      if (this.count === SIZE) {
        this.port.postMessage(this.kept.slice());
        this.count = 0;
      }
    }
    return true;
  }
}
registerProcessor("microphone", Microphone);
