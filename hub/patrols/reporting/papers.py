"""The files of reports: pages, PDF and workbooks, made of the figures that are kept.

Pages and PDF are kept beside the pictures and made again when they are gone. Every name is made
of numbers of ours. A file belongs to one making of its report: made anew or signed, it has others.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from hub.domain.access import system_scope
from hub.domain.errors import NotFound
from hub.domain.patrol_reports import KeptReport, NewReport
from hub.domain.patrols import PatrolRound, PatrolStop
from hub.patrols.files import PictureFolder
from hub.patrols.reporting.figures import Figures, parse_figures
from hub.patrols.reporting.gathering import span_of
from hub.patrols.reporting.lines import OF_PERIOD, ON_PAPER, ON_SCREEN
from hub.patrols.reporting.pages import build_period_page, build_round_page
from hub.patrols.reporting.pdf import Printer
from hub.patrols.reporting.workbook import build_workbook
from hub.runtime.files import NotKept, write_whole
from hub.store import rounds, stops
from hub.store.database import Database
from hub.store.patrol_figures import list_findings
from hub.store.stop_looks import MACHINE

FOLDER: Final = "reports"
MOST_FINDINGS: Final = OF_PERIOD.abnormal
# The rows of a workbook of a period: 30 nights of 1,800 stops, all of them wrong.
MOST_ROWS: Final = 54_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """Makes and finds the files of reports. ``report`` is one whose reader may read it."""

    database: Database
    pictures: PictureFolder
    root: Path
    printer: Printer = field(default_factory=Printer)

    @classmethod
    def of(cls, database: Database, data_dir: Path, printer: Printer) -> "Papers":
        """The papers in a data folder."""
        pictures = PictureFolder(data_dir)
        return cls(
            database=database,
            pictures=pictures,
            root=pictures.report_path(0).parent.parent / FOLDER,
            printer=printer,
        )

    async def page(self, report: KeptReport) -> bytes:
        """The page of a report (HTML)."""
        kept = await asyncio.to_thread(_read, self._page_path(report))
        return kept if kept is not None else (await self._make(report, is_paper=False)).encode()

    async def pdf(self, report: KeptReport) -> bytes:
        """A report on paper; kept where the disk takes it.

        Raises:
            PdfLacking: this machine lacks Pango or a Chinese font.
            PdfFailed: it took too long or too much memory.
        """
        path = self.path(report, "pdf")
        kept = await asyncio.to_thread(_read, path)
        if kept is not None:
            return kept
        made = await self.printer.print_page(await self._make(report, is_paper=True))
        await asyncio.to_thread(_keep_if_possible, path, made)
        return made

    async def workbook(self, report: KeptReport) -> bytes:
        """A report as XLSX: its figures, and every stop of a round or the findings of a period."""
        figures = _figures(report)
        if report.round_id is None:
            listed: Sequence[PatrolStop] = await self._findings(report, figures, MOST_ROWS)
        else:
            _, listed = await self._round(report.round_id)
        return await asyncio.to_thread(build_workbook, figures, listed)

    async def keep_page(self, report: KeptReport) -> None:
        """Make the page of a report and keep it in the place of the one before.

        Raises:
            NotKept: the disk does not take it; the one before is gone, for it says other things.
        """
        html = (await self._make(report, is_paper=False)).encode()
        path = self._page_path(report)
        await asyncio.to_thread(self._forget_others, report)
        try:
            await asyncio.to_thread(write_whole, path, html)
        except NotKept:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise

    async def _make(self, report: KeptReport, *, is_paper: bool) -> str:
        figures = _figures(report)
        if report.round_id is None:
            found = await self._findings(report, figures, MOST_FINDINGS)
            return await build_period_page(figures, found, self.pictures, signed=report)
        walk, seen = await self._round(report.round_id)
        return await build_round_page(
            walk,
            seen,
            figures,
            self.pictures,
            signed=report,
            limits=ON_PAPER if is_paper else ON_SCREEN,
        )

    async def _round(self, round_id: int) -> tuple[PatrolRound, Sequence[PatrolStop]]:
        async with self.database.transaction() as tx:
            walk = await rounds.get_round(tx, _HUB, round_id)
            return walk, await stops.all_stops(tx, _HUB, round_id)

    async def _findings(
        self, report: KeptReport, figures: Figures, most: int
    ) -> Sequence[PatrolStop]:
        new = NewReport(
            period=report.period,
            area_id=report.area_id,
            starts_at=report.starts_at,
            ends_at=report.ends_at,
            time_zone=report.time_zone,
            formula=report.formula,
        )
        span = span_of(new, report.area_path, figures.as_of)
        async with self.database.transaction() as tx:
            found = await list_findings(tx, _HUB, span, limit=most)
        own = {one.id for one in figures.walks}
        return [one if one.round_id in own else _without_names(one) for one in found]

    def _page_path(self, report: KeptReport) -> Path:
        """A round's page lies where the round's own route finds it, the last one made."""
        if report.round_id is not None:
            return self.pictures.report_path(report.round_id)
        return self.path(report, "html")

    def path(self, report: KeptReport, kind: str) -> Path:
        """Where a file ("pdf", "html") of this making of a report is or would be."""
        made = round(report.made_at.timestamp() * 1_000_000)
        mark = "" if report.signed_at is None else "-signed"
        return self.root / f"{report.id:d}" / f"{made:d}{mark}.{kind}"

    def _forget_others(self, report: KeptReport) -> None:
        """Remove the files of other makings of a report; what cannot go stays."""
        keep = self.path(report, "html").stem
        for path in self.path(report, "html").parent.glob("*"):
            if path.is_file() and path.stem != keep:
                with suppress(OSError):
                    path.unlink()


_HUB: Final = system_scope("hub.reports")


def _without_names(stop: PatrolStop) -> PatrolStop:
    """A stop of a round of an area further up: what was found, not by whom."""
    judge = stop.judged_by if stop.judged_by == MACHINE else ""
    return replace(stop, judged_by=judge, second_by="")


def _figures(report: KeptReport) -> Figures:
    if report.figures is None:
        msg = "this report was read without its figures"
        raise NotFound(msg)
    return parse_figures(report.figures)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _keep_if_possible(path: Path, data: bytes) -> None:
    """A full disk keeps nobody from reading: the PDF is made again then."""
    with suppress(NotKept):
        write_whole(path, data)
