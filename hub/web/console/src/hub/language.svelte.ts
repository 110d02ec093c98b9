// Chinese or English: chosen per browser, changed without loading anew.
export type Language = "zh" | "en";
const KEY = "gengfu.language";

class Speech {
  current = $state<Language>(first());
  choose(language: Language): void {
    this.current = language;
    localStorage.setItem(KEY, language);
    document.documentElement.lang = language;
  }
}
function first(): Language {
  if (typeof localStorage === "undefined") return "en";
  const kept = localStorage.getItem(KEY);
  if (kept === "zh" || kept === "en") return kept;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}
export const speech = new Speech();
if (typeof document !== "undefined") document.documentElement.lang = speech.current;

// Nothing in a text may be missing in the other language: the compiler compares the keys.
type Same<T> = { [K in keyof T]: T[K] extends (...given: infer A) => string ? (...given: A) => string : T[K] extends string ? string : Same<T[K]> };

/** All texts of one desk; reading one in a template follows the language. */
export function wordsOf<T extends object>(both: { en: T; zh: Same<NoInfer<T>> }): T {
  return new Proxy({} as T, {
    get: (_target, key) => (both[speech.current] as Record<PropertyKey, unknown>)[key],
  });
}
