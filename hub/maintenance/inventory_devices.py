"""Takes the rows of a device file, batch by batch, each in a transaction of its own."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hub.domain.access import Scope
from hub.domain.errors import Conflict, Invalid, NotFound
from hub.maintenance.inventory_changes import Change, Refused, Surroundings, Taken, decide
from hub.maintenance.inventory_parents import Hanging, ParentIndex
from hub.maintenance.inventory_rows import DeviceRow
from hub.maintenance.inventory_table import BadLine, Outcome, Table
from hub.maintenance.inventory_writing import write_changes, write_parents
from hub.store.database import Database
from hub.store.inventory import Wanted, find_known
from hub.store.inventory_parents import PAGE_ROWS, page_parent_nodes


def _silent(_done: int, _total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How to import. A dry run says what would happen and writes nothing."""

    is_dry_run: bool = False
    batch_rows: int = 1_000
    on_progress: Callable[[int, int], None] = _silent


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRows:
    """A file as it was read: good rows, bad lines, and how many rows there were."""

    table: Table
    rows: list[DeviceRow]
    bad: list[BadLine]
    count: int


@dataclass(slots=True, kw_only=True)
class DeviceImport:
    """One import of one file."""

    database: Database
    scope: Scope
    options: ImportOptions
    around: Surroundings
    read: ReadRows
    file: str
    _taken: dict[int, Taken] = field(default_factory=dict)
    _hanging: list[Hanging] = field(default_factory=list)
    _index: ParentIndex | None = None

    async def run(self) -> Outcome:
        """Take the rows; raises StoreUnavailable, with the batches before it in.

        What takes long beside the database is done in a thread: others wait for this loop.
        """
        if any(row.parent for row in self.read.rows):
            self._index = await self._known_parents()
        rows, brokers = await asyncio.to_thread(self._prepare)
        done = self.read.count - len(rows)
        for batch in _cut(rows, brokers, self.options.batch_rows):
            await self._take(batch)
            done += len(batch)
            self.options.on_progress(done, self.read.count)
        moved = await asyncio.to_thread(self._find_parents)
        if not self.options.is_dry_run:
            for start in range(0, len(moved), self.options.batch_rows):
                await self._put_below(moved[start : start + self.options.batch_rows])
        return self._outcome()

    async def _known_parents(self) -> ParentIndex:
        index = ParentIndex()
        after = 0
        while True:
            async with self.database.transaction() as tx:
                nodes = await page_parent_nodes(tx, self.scope, after=after)
            index.take_up(nodes)
            if len(nodes) < PAGE_ROWS:
                return index
            after = nodes[-1].id

    def _prepare(self) -> tuple[list[DeviceRow], int]:
        """Refuse rows whose parent is nowhere, and put the others in order."""
        rows = self.read.rows
        if self._index is not None:
            area_ids = {code: area.id for code, area in self.around.areas.items()}
            refused = self._index.refuse_strangers(rows, area_ids)
            for line, reason in refused.items():
                self._refuse(line, "parent", reason)
            rows = [row for row in rows if row.line not in refused]
        return _order(rows)

    async def _take(self, rows: Sequence[DeviceRow]) -> None:
        """Take a batch; when the database refuses it, find the rows that it refuses."""
        try:
            changes, numbers = await self._try(rows)
        except (Conflict, Invalid) as error:
            if len(rows) == 1:
                self._refuse(rows[0].line, "-", str(error))
                return
            half = len(rows) // 2
            await self._take(rows[:half])
            await self._take(rows[half:])
            return
        for change in changes:
            self._settle(change, numbers)

    async def _try(self, rows: Sequence[DeviceRow]) -> tuple[list[Change], dict[int, int]]:
        linked = [row for row in rows if row.protocol]
        wanted = Wanted(
            codes=[row.code for row in rows if row.code],
            links=[row.link for row in linked],
            keys=[row.key for row in linked],
        )
        numbers: dict[int, int] = {}
        async with self.database.transaction() as tx:
            self.around.look_at(await find_known(tx, self.scope, wanted))
            changes, refused = await asyncio.to_thread(self._decide, rows)
            if not self.options.is_dry_run:
                numbers = await write_changes(tx, self.scope, changes, self.file)
        for line, verdict in refused.items():
            self._refuse(line, verdict.column, str(verdict))
        return changes, numbers

    def _decide(self, rows: Sequence[DeviceRow]) -> tuple[list[Change], dict[int, Refused]]:
        changes: list[Change] = []
        refused: dict[int, Refused] = {}
        for row in rows:
            try:
                changes.append(self._hung(decide(row, self.around)))
            except Refused as verdict:
                refused[row.line] = verdict
        return changes, refused

    def _hung(self, change: Change) -> Change:
        """Put a new device below its parent at once, when that is in already."""
        row, device = change.row, change.device
        if self._index is None or change.before is not None or device is None or not row.parent:
            return change
        try:
            parent_id = self._index.find(row.parent, device.area_id)
        except Refused:  # it may come later in the file
            return change
        return replace(change, device=replace(device, parent_id=parent_id))

    def _settle(self, change: Change, numbers: Mapping[int, int]) -> None:
        row, device = change.row, change.device
        self._taken[row.line] = change.taken
        if device is None:
            if self.options.is_dry_run and change.link is not None:
                number = change.link.id or -row.line
                self.around.planned_links[row.link] = replace(change.link, id=number)
            return
        if self._index is None:
            return
        device_id = change.device_id or numbers.get(row.line, -row.line)
        self._index.add(device_id, change, device)
        if row.parent:
            self._hanging.append(
                Hanging(
                    line=row.line,
                    device_id=device_id,
                    area_id=device.area_id,
                    parent=row.parent,
                    parent_id=device.parent_id,
                )
            )

    def _find_parents(self) -> list[tuple[Hanging, int]]:
        """Find the parents of devices now that every row is in; return what is to be written."""
        moved: list[tuple[Hanging, int]] = []
        for one in self._hanging:
            try:
                parent_id = 0 if self._index is None else self._index.hang(one)
            except Refused as verdict:
                self._refuse_parent(one, str(verdict))
                continue
            if parent_id != one.parent_id:
                moved.append((one, parent_id))
                if self._taken[one.line] is Taken.UNCHANGED:
                    self._taken[one.line] = Taken.CHANGED
        return moved

    async def _put_below(self, moved: Sequence[tuple[Hanging, int]]) -> None:
        try:
            async with self.database.transaction() as tx:
                await write_parents(tx, self.scope, moved, self.file)
        except (Conflict, Invalid, NotFound) as error:
            if len(moved) == 1:
                self._refuse_parent(moved[0][0], str(error))
                return
            half = len(moved) // 2
            await self._put_below(moved[:half])
            await self._put_below(moved[half:])

    def _refuse_parent(self, hanging: Hanging, reason: str) -> None:
        self._refuse(hanging.line, "parent", f"{reason}; the row is in, below no other parent")

    def _refuse(self, line: int, column: str, reason: str) -> None:
        self._taken.pop(line, None)
        self.read.bad.append(self.read.table.bad_line(line, column, reason))

    def _outcome(self) -> Outcome:
        counts = Counter(self._taken.values())
        return Outcome(
            rows=self.read.count,
            new=counts[Taken.NEW],
            changed=counts[Taken.CHANGED],
            unchanged=counts[Taken.UNCHANGED],
            refused=tuple(sorted(self.read.bad, key=lambda bad: bad.line)),
            encoding=self.read.table.encoding,
            is_dry_run=self.options.is_dry_run,
        )


def _order(rows: Sequence[DeviceRow]) -> tuple[list[DeviceRow], int]:
    """Brokers first, and how many; what others hang on before those."""
    parents = {row.parent for row in rows if row.parent}

    def rank(row: DeviceRow) -> int:
        if row.is_broker:
            return 0
        if not row.parent:
            return 1
        return 2 if not parents.isdisjoint((row.code, row.address, row.name)) else 3

    return sorted(rows, key=rank), sum(row.is_broker for row in rows)


def _cut(rows: Sequence[DeviceRow], brokers: int, size: int) -> Iterator[Sequence[DeviceRow]]:
    """Batches; devices never share one with the links to brokers, which must be there before."""
    starts = [*range(0, brokers, size), *range(brokers, len(rows), size), len(rows)]
    for start, end in itertools.pairwise(starts):
        yield rows[start:end]
