"""Who may do what, and where."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The roles of design §6."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    DISPATCHER = "dispatcher"
    MAINTAINER = "maintainer"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a route asks for."""

    SEE = "see"  # lists, pictures, live events of the areas granted
    OPERATE = "operate"  # acknowledge and resolve alerts, walk patrols
    DISPATCH = "dispatch"
    MAINTAIN = "maintain"  # devices: approve, probe, command, edit
    PLAN = "plan"  # rules, patrol plans, silences, reports
    ADMINISTER = "administer"  # areas, connections, users, grants, audit


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.SEE}),
    Role.OPERATOR: frozenset({Permission.SEE, Permission.OPERATE}),
    Role.DISPATCHER: frozenset({Permission.SEE, Permission.OPERATE, Permission.DISPATCH}),
    Role.MAINTAINER: frozenset({Permission.SEE, Permission.MAINTAIN}),
    Role.SUPERVISOR: frozenset(
        {Permission.SEE, Permission.OPERATE, Permission.DISPATCH, Permission.PLAN}
    ),
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A user holds a role in an area and everything below it."""

    role: Role
    area_id: int
    area_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The part of the world one caller may touch in one call.

    ``paths`` are area paths; None is the hub itself, which may touch everything. A caller
    without any path touches nothing. ``actor`` is who the audit log names.
    """

    paths: tuple[str, ...] | None
    actor: str
    user_id: int | None = None
    source: str = ""  # the caller's network address, for the audit log

    def covers(self, area_path: str) -> bool:
        """Tell whether an area lies within the scope."""
        if self.paths is None:
            return True
        return any(area_path == p or area_path.startswith(p + ".") for p in self.paths)


def system_scope(actor: str) -> Scope:
    """The scope of the hub's own work; ``actor`` names the part that works ("hub.pipeline")."""
    return Scope(paths=None, actor=actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who proved who they are."""

    user_id: int
    name: str
    grants: tuple[Grant, ...]

    def permissions(self) -> frozenset[Permission]:
        """Everything allowed in at least one area."""
        return frozenset(p for grant in self.grants for p in PERMISSIONS[grant.role])

    def scope(self, permission: Permission, *, source: str = "") -> Scope:
        """The areas in which the principal holds a permission."""
        paths = tuple(
            sorted({g.area_path for g in self.grants if permission in PERMISSIONS[g.role]})
        )
        return Scope(paths=paths, actor=self.name, user_id=self.user_id, source=source)
