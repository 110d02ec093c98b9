// Whether somebody wants a map beside an alert: kept in this browser.
const KEY = "gengfu.alert.map";

class Look {
  map = $state(typeof localStorage !== "undefined" && localStorage.getItem(KEY) === "1");
  showMap(isWanted: boolean): void {
    this.map = isWanted;
    localStorage.setItem(KEY, isWanted ? "1" : "0");
  }
}
export const look = new Look();
