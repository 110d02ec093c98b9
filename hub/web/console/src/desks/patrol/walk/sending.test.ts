import { expect, test, vi } from "vitest";
import { Problem } from "$/hub/api";
import { Sending } from "./Sending.svelte";

const lost = (): Promise<never> => Promise.reject(new Problem(0, "no line"));
const at_once = (): Promise<void> => Promise.resolve();

test("what the hub did not answer is sent again until it answers", async () => {
  const sending = new Sending(at_once);
  const post = vi.fn().mockImplementationOnce(lost).mockImplementationOnce(() => { expect(sending.unsent).toBe("gate: normal"); return lost(); }).mockResolvedValue("judged");
  expect(await sending.send("gate: normal", post, () => Promise.resolve(null))).toBe("judged");
  expect(post).toHaveBeenCalledTimes(3);
  expect(sending.unsent).toBe("");
});

test("what had arrived before is no refusal; what somebody else judged is one", async () => {
  const taken = (): Promise<never> => Promise.reject(new Problem(409, "judged already"));
  const twice = (): (() => Promise<string>) => vi.fn<() => Promise<string>>().mockImplementationOnce(lost).mockImplementation(taken);
  expect(await new Sending(at_once).send("", twice(), () => Promise.resolve("mine"))).toBe("mine");
  await expect(new Sending(at_once).send("", twice(), () => Promise.resolve(null))).rejects.toMatchObject({ status: 409 });
  // Without a lost answer nobody asks: it is a refusal.
  await expect(new Sending(at_once).send("", taken, () => Promise.resolve("mine"))).rejects.toMatchObject({ status: 409 });
});

test("whoever gives up is told that nothing is known", async () => {
  const sending: Sending = new Sending(() => { sending.giveUp(); return Promise.resolve(); });
  await expect(sending.send("gate", lost, () => Promise.resolve(null))).rejects.toMatchObject({ status: 0 });
  expect(sending.unsent).toBe("");
});
