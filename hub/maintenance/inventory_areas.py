"""Imports area files: code, name, parent (its code), in any order.

Repeating one changes names only. Areas are never moved: their codes are in paths, grants and
figures of the past. A file is small, and a tree with holes is none: it goes in as a whole, but
for the rows that are bad in themselves and what is below those.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hub.domain.access import Scope
from hub.domain.devices import Area
from hub.domain.errors import Conflict
from hub.maintenance.inventory_columns import AREA_COLUMNS
from hub.maintenance.inventory_table import (
    SURPLUS,
    BadLine,
    Line,
    Outcome,
    Source,
    Table,
    open_table,
)
from hub.store import areas, users
from hub.store.database import Database, Transaction
from hub.store.inventory_areas import add_areas, find_taken_codes, holds_a_root, rename_areas
from hub.store.inventory_deeds import ImportDeed, record_deeds
from hub.store.notices import notify

REQUIRED = ("code", "name")
_PARSERS = {column.name: column.parse for column in AREA_COLUMNS}


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaRow:
    """A line that is good in itself; without ``parent`` a new area is a root."""

    line: int
    code: str
    name: str
    parent: str


@dataclass(slots=True)
class _Plan:
    """What the file makes of the tree."""

    table: Table
    bad: list[BadLine]
    count: int
    rows: dict[str, AreaRow] = field(default_factory=dict)
    added: list[list[AreaRow]] = field(default_factory=list)  # level by level
    renamed: list[tuple[AreaRow, int]] = field(default_factory=list)

    def refuse(self, row: AreaRow, column: str, reason: str) -> None:
        """Take a row out."""
        self.rows.pop(row.code, None)
        self.bad.append(self.table.bad_line(row.line, column, reason))


async def import_areas(
    database: Database, scope: Scope, source: Source, *, is_dry_run: bool = False
) -> Outcome:
    """Import an area file on behalf of somebody: only below his own areas.

    Raises:
        Invalid: the file cannot be read as a whole.
        Conflict: somebody else added one of the areas at this moment; nothing of the file is in.
    """
    plan = await asyncio.to_thread(_read, source)
    async with database.transaction() as tx:
        known = {area.code: area for area in await areas.list_areas(tx, scope)}
        taken = await find_taken_codes(tx, scope, plan.rows)
        _compare(plan, known, taken, may_add_roots=await holds_a_root(tx, scope))
        new = [row for level in plan.added for row in level]
        if not is_dry_run:
            await _write(tx, scope, plan, source.name)
    changed = len(plan.renamed)
    return Outcome(
        rows=plan.count,
        new=len(new),
        changed=changed,
        unchanged=len(plan.rows) - len(new) - changed,
        refused=tuple(sorted(plan.bad, key=lambda bad: bad.line)),
        encoding=plan.table.encoding,
        is_dry_run=is_dry_run,
    )


def _read(source: Source) -> _Plan:
    table = open_table(source, AREA_COLUMNS, REQUIRED)
    plan = _Plan(table=table, bad=[], count=0)
    for line in table.lines:
        plan.count += 1
        row = _read_line(table, line)
        if not isinstance(row, AreaRow):
            plan.bad += row
        elif (first := plan.rows.setdefault(row.code, row)) is not row:
            plan.bad.append(table.bad_line(row.line, "code", f"is in line {first.line} already"))
    return plan


def _read_line(table: Table, line: Line) -> AreaRow | list[BadLine]:
    if line.has_surplus:
        return [table.bad_line(line.number, "-", SURPLUS)]
    faults = {name: "is empty" for name in REQUIRED if name not in line.cells}
    for name, cell in line.cells.items():
        try:
            _PARSERS[name](cell)
        except ValueError as error:
            faults[name] = str(error)
    if faults:
        return [table.bad_line(line.number, name, reason) for name, reason in faults.items()]
    cells = line.cells
    return AreaRow(
        line=line.number,
        code=cells["code"],
        name=cells["name"],
        parent=cells.get("parent", ""),
    )


def _compare(
    plan: _Plan, known: Mapping[str, Area], taken: frozenset[str], *, may_add_roots: bool
) -> None:
    """Sort the rows into levels below what is there, and refuse what cannot be."""
    codes = {area.id: area.code for area in known.values()}
    waiting: list[AreaRow] = []
    for row in list(plan.rows.values()):
        area = known.get(row.code)
        if area is not None:
            _compare_known(plan, row, area, codes.get(area.parent_id or 0, ""))
        elif row.code in taken:
            plan.refuse(row, "code", "is in use already")
        elif not row.parent and not may_add_roots:
            plan.refuse(row, "parent", "is empty: a new area needs a parent")
        else:
            waiting.append(row)
    ready = {"", *known}
    while level := [row for row in waiting if row.parent in ready]:
        plan.added.append(level)
        ready |= {row.code for row in level}
        waiting = [row for row in waiting if row.code not in ready]
    unfinished = {row.code for row in waiting}
    for row in waiting:
        is_there = row.parent in unfinished
        reason = "no area has this code, or its own row was refused"
        if is_there:
            reason = "is below this area itself, or below a row that was refused"
        plan.refuse(row, "parent", reason)


def _compare_known(plan: _Plan, row: AreaRow, area: Area, parent: str) -> None:
    if row.parent and row.parent != parent:
        plan.refuse(row, "parent", "is another than now: areas are not moved by a file")
    elif row.name != area.name.strip():
        plan.renamed.append((row, area.id))


async def _write(tx: Transaction, scope: Scope, plan: _Plan, file: str) -> None:
    deeds: list[ImportDeed] = []
    inside = scope
    for level in plan.added:
        made = await add_areas(tx, inside, [(row.code, row.name, row.parent) for row in level])
        if len(made) < len(level):
            msg = "somebody else changed the areas meanwhile: import the file again"
            raise Conflict(msg)
        for row in level:
            deeds.append(_deed("area.created", row, made[row.code], file))
            if not row.parent and scope.paths is not None:
                # Who adds a root administers it, and may go on below it.
                await users.grant_new_root(tx, scope, made[row.code])
                inside = replace(inside, paths=(*(inside.paths or ()), row.code))
    if plan.renamed:
        await rename_areas(tx, scope, {row.code: row.name for row, _ in plan.renamed})
        deeds += [_deed("area.renamed", row, number, file) for row, number in plan.renamed]
    if deeds:
        await record_deeds(tx, scope, deeds)
        await notify(tx, scope, "areas", [int(deed.object_id) for deed in deeds])


def _deed(action: str, row: AreaRow, number: int, file: str) -> ImportDeed:
    return ImportDeed(
        action=action,
        object_type="area",
        object_id=str(number),
        area_id=number,
        detail={"import": file, "line": row.line, "code": row.code, "name": row.name},
    )
