"""The commands of `gengfu quality` about cameras: faults, coverage, what people said of them."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from hub.domain.quality import Index
from hub.main.console import print_json, print_line, print_rows, progress, say
from hub.main.labelled_pictures import write_labels
from hub.main.picture_tables import tell_score
from hub.main.report_options import AreaOption, duration, percent
from hub.main.storage import JsonOption, SettingsOption, Store, find_place, with_store
from hub.main.surroundings import utc_now
from hub.maintenance.pictures.evidence import EvidenceFolder
from hub.runtime.files import write_whole
from hub.store.audit import Deed, record
from hub.store.database import Transaction
from hub.store.picture_faults import (
    Coverage,
    FaultFilter,
    FaultLine,
    count_picture_faults,
    list_picture_faults,
    picture_coverage,
)
from hub.store.picture_feedback import Feedback, all_feedback
from hub.store.scoping import MAX_LIMIT

FAULT_COLUMNS = (
    *("id", "device", "area_name", "place", "team", "fault", "since", "for", "score"),
    *("threshold", "why", "status"),
)
PICTURES = "pictures"

IndexOption = Annotated[Index | None, typer.Option("--index", help="Only this fault.")]


def list_faults(
    area: AreaOption = "",
    *,
    index: IndexOption = None,
    device_class: Annotated[str, typer.Option("--class", help="Only this class of cameras.")] = "",
    team: Annotated[str, typer.Option(help="Only what this team maintains.")] = "",
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cameras whose picture is bad: what is wrong, since when, why; a line for each fault.

    What turned bad last comes first. Cameras that nobody could look at are
    counted by `gengfu quality summary`.
    """

    async def work(store: Store) -> tuple[list[FaultLine], Coverage]:
        async with store.database.transaction() as tx:
            place = (await find_place(tx, store.scope, area)).id if area else None
            wanted = FaultFilter(area_id=place, index=index, device_class=device_class, team=team)
            coverage = await picture_coverage(tx, store.scope, utc_now(), area_id=place)
            return await _all_lines(tx, store, wanted), coverage

    lines, coverage = with_store(settings, dict(os.environ), work)
    now = utc_now()
    rows = [row for line in lines for row in _fault_rows(line, index, now, as_json=as_json)]
    print_rows(rows, as_json=as_json, columns=FAULT_COLUMNS, empty="no picture is known to be bad")
    say(f"{_cameras(len(lines))} at fault; {_tell_coverage(coverage)}")


def summarize(
    area: AreaOption = "", settings: SettingsOption = None, *, as_json: JsonOption = False
) -> None:
    """How many cameras have which fault, and how many were looked at to know it."""

    async def work(store: Store) -> tuple[dict[Index, int], Coverage]:
        async with store.database.transaction() as tx:
            place = (await find_place(tx, store.scope, area)).id if area else None
            counts = await count_picture_faults(tx, store.scope, FaultFilter(area_id=place))
            return counts, await picture_coverage(tx, store.scope, utc_now(), area_id=place)

    counts, coverage = with_store(settings, dict(os.environ), work)
    if as_json:
        named = {index.value: number for index, number in counts.items()}
        print_json({"faults": named, **asdict(coverage)})
        return
    rows = [{"fault": index.value, "cameras": number} for index, number in counts.items()]
    print_rows(
        rows, as_json=False, columns=("fault", "cameras"), empty="no picture is known to be bad"
    )
    print_line(_tell_coverage(coverage))
    if coverage.reasons:
        reasons = [
            {"cameras": number, "why_not": reason or "other reasons"}
            for reason, number in coverage.reasons.items()
        ]
        print_rows(reasons, as_json=False, columns=("cameras", "why_not"), empty="")


def export_labelled(
    folder: Annotated[Path, typer.Argument(help="Folder to write to; made when it is not there.")],
    settings: SettingsOption = None,
) -> None:
    """Write the pictures of which people said something, for `gengfu quality evaluate`.

    They are the pictures that were kept, with privacy masks painted over.
    Who exported how many is in the audit log.
    """

    async def work(store: Store) -> tuple[int, int]:
        files = EvidenceFolder(store.settings.data_dir)
        async with store.database.transaction() as tx:
            said = [one async for one in all_feedback(tx, store.scope) if one.has_picture]
            deed = Deed(action="picture.labelled_exported", object_type="picture_feedback")
            await record(tx, store.scope, deed, {"remarks": len(said)})
        written: list[dict[str, object]] = []
        with progress() as bar:
            task = bar.add_task("exporting", total=len(said))
            for one in _together(said):
                bar.advance(task, len(one.remarks))
                if jpeg := await one.read(files):
                    write_whole(folder / one.file, jpeg)
                    written.append(one.document())
        write_labels(folder, written)
        return len(written), len(_together(said)) - len(written)

    count, gone = with_store(settings, dict(os.environ), work)
    say(
        f"{count} pictures exported to {folder}" + (f"; {gone} are not there any more" * bool(gone))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picture:
    """One picture and all that people said of it; what was said last counts."""

    number: int
    device_id: int
    taken_at: datetime | None
    remarks: list[Feedback] = field(default_factory=list)

    async def read(self, files: EvidenceFolder) -> bytes:
        """The picture, kept under the number of one of the remarks; empty when it is gone."""
        for one in self.remarks:
            if jpeg := await files.read_labelled(one.id):
                return jpeg
        return b""

    @property
    def file(self) -> str:
        return f"{PICTURES}/{self.number:d}.jpg"

    def document(self) -> dict[str, object]:
        return {
            "file": self.file,
            "labels": {one.index.value: one.is_fault for one in self.remarks},
            "scores": {one.index.value: one.score for one in self.remarks if one.score is not None},
            "device_id": self.device_id,
            "taken_at": self.taken_at and self.taken_at.isoformat(),
            "notes": [one.note for one in self.remarks if one.note],
        }


def _together(said: list[Feedback]) -> list[_Picture]:
    pictures: dict[object, _Picture] = {}
    for one in said:
        key = one.id if one.taken_at is None else (one.device_id, one.taken_at)
        made = _Picture(number=one.id, device_id=one.device_id, taken_at=one.taken_at)
        pictures.setdefault(key, made).remarks.append(one)
    return list(pictures.values())


async def _all_lines(tx: Transaction, store: Store, wanted: FaultFilter) -> list[FaultLine]:
    found: list[FaultLine] = []
    cursor: str | None = None
    while True:
        page = await list_picture_faults(tx, store.scope, wanted, limit=MAX_LIMIT, cursor=cursor)
        found.extend(page.items)
        cursor = page.next
        if cursor is None:
            return found


def _fault_rows(
    line: FaultLine, index: Index | None, now: datetime, *, as_json: bool
) -> Iterator[Mapping[str, object]]:
    for name, fault in line.faults.items():
        if index in {None, name}:
            yield {
                "id": line.device_id,
                "device": line.device_name,
                "code": line.code,
                "area_name": line.area_name,
                "place": line.place,
                "class": line.device_class,
                "team": line.team,
                "fault": name.value,
                "since": fault.since,
                "for": duration((now - fault.since).total_seconds()),
                "score": fault.score if as_json else tell_score(fault.score, fault.threshold),
                "threshold": fault.threshold,
                "why": fault.why,
                "status": line.status,
                "checked_at": line.checked_at,
            }


def _tell_coverage(coverage: Coverage) -> str:
    if not coverage.managed:
        return "no camera is managed yet"
    share = percent(coverage.checked / coverage.managed, 1)
    return (
        f"{share} of {_cameras(coverage.managed)} looked at within 24 h"
        f" ({coverage.stale} longer ago, {coverage.never} never)"
    )


def _cameras(number: int) -> str:
    return "1 camera" if number == 1 else f"{number:,} cameras"
