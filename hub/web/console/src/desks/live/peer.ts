// Live video by WebRTC, where the hub has a media server. It says no more than "here it is" and "no more":
// whoever shows it goes back to the hub's own socket then, which tells what is the matter.
import { api, ask } from "$/hub/api";
import type { StreamRole } from "./messages";

const GATHER_MS = 1500;

export class Peer {
  #connection = new RTCPeerConnection();
  #isOver = false;

  constructor(video: HTMLVideoElement, private readonly gone: () => void) {
    this.#connection.addTransceiver("video", { direction: "recvonly" });
    this.#connection.ontrack = (event) => {
      if (this.#isOver) return;
      event.receiver.jitterBufferTarget = 0;
      video.removeAttribute("src");
      video.srcObject = new MediaStream([event.track]);
      void video.play().catch(() => undefined);
    };
    this.#connection.onconnectionstatechange = () => {
      if (["failed", "closed", "disconnected"].includes(this.#connection.connectionState)) this.#end();
    };
  }
  get isConnected(): boolean {
    return this.#connection.connectionState === "connected";
  }
  /** Ask for a stream; ends by itself where there is none to be had. */
  async open(device: number, stream: StreamRole, channel: string): Promise<void> {
    try {
      await this.#connection.setLocalDescription(await this.#connection.createOffer());
      await this.#gathered();
      const offer = this.#connection.localDescription?.sdp ?? "";
      const said = await ask(api.POST("/api/v1/devices/{device_id}/live/whep", { params: { path: { device_id: device } }, body: { offer, stream, channel } }));
      if (!this.#isOver) await this.#connection.setRemoteDescription({ type: "answer", sdp: said.answer });
    } catch {
      this.#end(); // the socket will say why
    }
  }
  close(): void {
    this.#isOver = true;
    this.#connection.close();
  }
  /** Wait for the ways by which the browser can be reached: they are told at once, all together. */
  #gathered(): Promise<void> {
    const connection = this.#connection;
    return new Promise((done) => {
      if (connection.iceGatheringState === "complete") done();
      connection.onicegatheringstatechange = () => { if (connection.iceGatheringState === "complete") done(); };
      setTimeout(done, GATHER_MS);
    });
  }
  #end(): void {
    if (this.#isOver) return;
    this.close();
    this.gone();
  }
}
