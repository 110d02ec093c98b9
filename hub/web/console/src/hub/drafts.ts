// What a person types is kept in this tab until it is sent: through an expired session, a lost line, a reload.
const MARK = "gengfu.draft.";

export const drafts = {
  keep(key: string, text: string): void {
    if (text === "") sessionStorage.removeItem(MARK + key);
    else sessionStorage.setItem(MARK + key, text);
  },
  take(key: string): string {
    return sessionStorage.getItem(MARK + key) ?? "";
  },
  drop(key: string): void {
    sessionStorage.removeItem(MARK + key);
  },
};
