// Every page of the console: its address, who may open it, and how it is loaded. A pattern names the
// parts of the address that the page is given: "/devices/:id".
import type { Component } from "svelte";
import type { Permission } from "$/hub/session.svelte";

export type PageProps = { params: Record<string, string> };
type Page = Component<PageProps> | Component<Record<string, never>>;
export type Load = () => Promise<{ default: Page }>;
export interface Route {
  pattern: string;
  needs: Permission | null;
  load: Load;
}

// One page under several addresses: it stays as it is when the address goes from the one to the other.
const admin: Load = () => import("$/desks/admin/Page.svelte");
const alerts: Load = () => import("$/desks/alerts/Page.svelte");
const dispatch: Load = () => import("$/desks/dispatch/Page.svelte");
const reports: Load = () => import("$/desks/dispatch/ReportsPage.svelte");

export const ROUTES: readonly Route[] = [
  { pattern: "/", needs: "see", load: () => import("$/desks/overview/Page.svelte") },
  { pattern: "/map", needs: "see", load: () => import("$/desks/map/Page.svelte") },
  { pattern: "/wall", needs: "see", load: () => import("$/desks/wall/Page.svelte") },
  // Before a device: "add" is no number of one.
  { pattern: "/devices/add", needs: "maintain", load: () => import("$/desks/devices/adding/WaysPage.svelte") },
  { pattern: "/devices/add/scan", needs: "administer", load: () => import("$/desks/devices/adding/ScanPage.svelte") },
  { pattern: "/devices/add/look/:id", needs: "administer", load: () => import("$/desks/devices/adding/LookPage.svelte") },
  { pattern: "/devices/add/address", needs: "administer", load: () => import("$/desks/devices/adding/AddressPage.svelte") },
  { pattern: "/devices/add/waiting", needs: "maintain", load: () => import("$/desks/devices/adding/WaitingPage.svelte") },
  { pattern: "/devices/add/import", needs: "administer", load: () => import("$/desks/devices/adding/ImportPage.svelte") },
  { pattern: "/devices", needs: "see", load: () => import("$/desks/devices/Page.svelte") },
  { pattern: "/devices/:id", needs: "see", load: () => import("$/desks/devices/device/Page.svelte") },
  { pattern: "/dispatch", needs: "see", load: dispatch },
  { pattern: "/dispatch/reports", needs: "dispatch", load: reports },
  { pattern: "/dispatch/reports/:id", needs: "dispatch", load: reports },
  { pattern: "/dispatch/:id", needs: "see", load: dispatch },
  { pattern: "/patrol", needs: "see", load: () => import("$/desks/patrol/TonightPage.svelte") },
  { pattern: "/patrol/rounds/:id/walk", needs: "operate", load: () => import("$/desks/patrol/WalkPage.svelte") },
  { pattern: "/patrol/rounds/:id", needs: "see", load: () => import("$/desks/patrol/RoundPage.svelte") },
  { pattern: "/patrol/plans", needs: "see", load: () => import("$/desks/patrol/PlansPage.svelte") },
  { pattern: "/patrol/plans/new", needs: "plan", load: () => import("$/desks/patrol/PlanPage.svelte") },
  { pattern: "/patrol/plans/:id", needs: "see", load: () => import("$/desks/patrol/PlanPage.svelte") },
  { pattern: "/patrol/calendar", needs: "see", load: () => import("$/desks/patrol/CalendarPage.svelte") },
  { pattern: "/patrol/rooms", needs: "see", load: () => import("$/desks/patrol/RoomsPage.svelte") },
  { pattern: "/patrol/handovers", needs: "see", load: () => import("$/desks/patrol/HandoversPage.svelte") },
  { pattern: "/patrol/reports", needs: "see", load: () => import("$/desks/patrol/ReportsPage.svelte") },
  { pattern: "/patrol/reports/:id", needs: "see", load: () => import("$/desks/patrol/ReportPage.svelte") },
  { pattern: "/patrol/second-looks", needs: "plan", load: () => import("$/desks/patrol/SecondLooksPage.svelte") },
  { pattern: "/alerts", needs: "see", load: alerts },
  { pattern: "/alerts/:id", needs: "see", load: alerts },
  { pattern: "/reports", needs: "see", load: () => import("$/desks/reports/Page.svelte") },
  { pattern: "/admin", needs: null, load: admin },
  { pattern: "/admin/:section", needs: null, load: admin },
  { pattern: "/admin/:section/:id", needs: null, load: admin },
  { pattern: "/account", needs: null, load: () => import("$/desks/account/Page.svelte") },
];

/** The route of a path and the parts it names. */
export function findRoute(path: string, routes: readonly Route[] = ROUTES): { route: Route; params: Record<string, string> } | null {
  const parts = path.split("/").filter(Boolean);
  for (const route of routes) {
    const wanted = route.pattern.split("/").filter(Boolean);
    if (wanted.length !== parts.length) continue;
    const params: Record<string, string> = {};
    const fits = wanted.every((piece, at) => {
      if (!piece.startsWith(":")) return piece === parts[at];
      params[piece.slice(1)] = decodeURIComponent(parts[at] ?? "");
      return true;
    });
    if (fits) return { route, params };
  }
  return null;
}
