// What roles allow, and where. The hub decides; this only says it in words. Pure.
export const ROLES = ["viewer", "operator", "dispatcher", "maintainer", "supervisor", "admin"] as const;
export type Role = (typeof ROLES)[number];
export const PERMISSIONS = ["see", "operate", "dispatch", "maintain", "plan", "administer"] as const;
export type PermissionName = (typeof PERMISSIONS)[number];
const HELD: Record<Role, readonly PermissionName[]> = {
  viewer: ["see"], operator: ["see", "operate"], dispatcher: ["see", "operate", "dispatch"], maintainer: ["see", "maintain"], supervisor: ["see", "operate", "dispatch", "plan"], admin: PERMISSIONS,
};
interface Held { role: string; area_id: number; area_path: string }

/** Each permission with the areas in which it is held; an area below another one of them says nothing new. */
export function rightsOf(grants: readonly Held[]): { permission: PermissionName; areas: number[] }[] {
  return PERMISSIONS.map((permission) => {
    const held = grants.filter((grant) => HELD[grant.role as Role]?.includes(permission));
    const uppermost = held.filter((one) => !held.some((other) => one.area_path !== other.area_path && one.area_path.startsWith(`${other.area_path}.`)));
    return { permission, areas: [...new Set(uppermost.map((one) => one.area_id))] };
  }).filter((one) => one.areas.length > 0);
}
