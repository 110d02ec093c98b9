// Dark or light: as the machine says, unless somebody chose.
export type Theme = "light" | "dark" | "auto";
const KEY = "gengfu.theme";

class Look {
  theme = $state<Theme>((typeof localStorage !== "undefined" && (localStorage.getItem(KEY) as Theme | null)) || "auto");
  dark = $state(false);
  #machine = typeof matchMedia === "undefined" ? null : matchMedia("(prefers-color-scheme: dark)");

  constructor() {
    this.#machine?.addEventListener("change", () => this.#apply());
    this.#apply();
  }
  choose(theme: Theme): void {
    this.theme = theme;
    localStorage.setItem(KEY, theme);
    this.#apply();
  }
  #apply(): void {
    this.dark = this.theme === "dark" || (this.theme === "auto" && (this.#machine?.matches ?? false));
    if (typeof document !== "undefined") document.documentElement.dataset["theme"] = this.dark ? "dark" : "light";
  }
}
export const look = new Look();
