// Who sits here. A session that ends in mid-shift leaves the page as it is, under a sign-in form:
// nothing that was typed is lost.
import { api, ask, onSignedOut, setCsrf, type Schemas } from "./api";
import { live } from "./live.svelte";
import { site } from "./site.svelte";

export type Permission = "see" | "operate" | "dispatch" | "maintain" | "plan" | "administer";
type Me = Schemas["MeOut"];

class Session {
  /** "asking" at the start; "over": the page stands, but somebody must sign in again. */
  state = $state<"asking" | "out" | "in" | "over">("asking");
  user = $state<Me | null>(null);

  may(permission: Permission): boolean {
    return this.user?.permissions.includes(permission) ?? false;
  }
  async begin(): Promise<void> {
    onSignedOut(() => this.#end());
    const answer = await api.GET("/api/v1/session/me").catch(() => null);
    // It may end between the two questions.
    const isIn = answer?.data !== undefined && (await this.#enter(answer.data).then(() => true, () => false));
    if (!isIn) this.state = this.state === "in" ? "over" : "out";
  }
  async signIn(name: string, password: string): Promise<void> {
    const before = this.user?.id;
    const me = await ask(api.POST("/api/v1/session/login", { body: { name, password } }));
    // Another person must not find what this one had on the screen.
    if (before !== undefined && before !== me.id) location.assign("/");
    await this.#enter(me);
  }
  async signOut(): Promise<void> {
    await ask(api.POST("/api/v1/session/logout"));
    location.assign("/");
  }
  /** A changed password began another session. */
  async renew(me: Me): Promise<void> {
    await this.#enter(me);
  }
  async #enter(me: Me): Promise<void> {
    setCsrf(me.csrf);
    this.user = me;
    await site.load();
    this.state = "in";
    live.start(() => this.#end());
  }
  #end(): void {
    if (this.state !== "in") return;
    this.state = "over";
    live.stop();
  }
}
export const session = new Session();
