// The colours of a map, out of the same tokens as everything else.
export interface Palette {
  paper: string; card: string; ink: string; soft: string; line: string; strongLine: string; main: string; chosen: string;
  good: string; bad: string; warn: string; unknown: string; planned: string; info: string;
  goodSoft: string; badSoft: string; warnSoft: string; unknownSoft: string; water: string; woods: string; isDark: boolean;
}
export function readPalette(isDark: boolean): Palette {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    paper: token("paper"), card: token("card"), ink: token("ink"), soft: token("soft"), line: token("line"), strongLine: token("strong-line"), main: token("main"), chosen: token("chosen"),
    good: token("good-fill"), bad: token("bad-fill"), warn: token("warn-fill"), unknown: token("unknown-fill"), planned: token("planned-fill"), info: token("info-fill"),
    goodSoft: token("good-soft"), badSoft: token("bad-soft"), warnSoft: token("warn-soft"), unknownSoft: token("unknown-soft"), water: token("water"), woods: token("woods"), isDark,
  };
}
