// Sends what a person judged through a line that may break: what the hub did not answer is sent again
// until it answers, and nothing else is judged meanwhile. The first judgement stands at the hub, so
// sending twice does no harm; whether the first one had arrived is asked.
import { Problem } from "$/hub/api";

const AGAIN_MS = 3_000;
const isLine = (error: unknown): boolean => error instanceof Problem && (error.status === 0 || (error.status >= 502 && error.status <= 504));

export class Sending {
  /** What is on its way and was not answered, in words; "" when nothing is. */
  unsent = $state("");
  #stop: (() => void) | null = null;

  constructor(private readonly wait = (ms: number): Promise<void> => new Promise((done) => { setTimeout(done, ms); })) {}

  /** `had` asks, after a lost answer, whether it had arrived: what stands, or null. */
  async send<T>(said: string, post: () => Promise<T>, had: () => Promise<T | null>): Promise<T> {
    let isLost = false;
    let isGivenUp = false;
    this.#stop = () => { isGivenUp = true; };
    try {
      for (;;) {
        try {
          return await post();
        } catch (error) {
          if (!isLine(error)) {
            const stands = isLost ? await had().catch(() => null) : null;
            if (stands) return stands;
            throw error;
          }
          if (isGivenUp) throw error;
          isLost = true;
          this.unsent = said;
          await this.wait(AGAIN_MS);
          if (isGivenUp) throw error;
        }
      }
    } finally {
      this.unsent = "";
      this.#stop = null;
    }
  }
  giveUp(): void {
    this.#stop?.();
  }
}
