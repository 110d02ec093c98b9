"""Files on the command line: which kind they are, what is said of them, what an import did."""

import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from hub.domain.access import Scope
from hub.domain.errors import Invalid
from hub.main.console import Exit, as_row, print_json, print_rows, reported_errors, say
from hub.main.storage import Store, with_store
from hub.maintenance.inventory_table import Outcome, Source
from hub.runtime.sheets import SheetKind, sheet_kind
from hub.store.database import Database

FileToRead = Annotated[
    Path, typer.Argument(help="CSV or XLSX; its first line names columns, like an export's.")
]
FileToWrite = Annotated[Path, typer.Argument(help="File to write; - for standard output.")]
FormatOption = Annotated[
    SheetKind | None,
    typer.Option("--format", help="By the ending of the name otherwise.", show_default=False),
]
ChineseOption = Annotated[bool, typer.Option("--chinese", help="Chinese column names (中文列名).")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check only, change nothing.")]

Export = Callable[[Database, Scope, BinaryIO, SheetKind], Awaitable[int]]


def export_file(
    file: Path, form: SheetKind | None, settings: Path | None, what: str, write: Export
) -> None:
    """Write a file, whole or not at all; ``what`` it holds is said at the end."""
    with reported_errors():
        is_piped = str(file) == "-"
        kind = form or (SheetKind.CSV if is_piped else sheet_kind(file.name))

    async def work(store: Store) -> int:
        if is_piped:
            return await write(store.database, store.scope, sys.stdout.buffer, kind)
        part = file.with_name(file.name + ".part")
        try:
            with part.open("wb") as stream:
                count = await write(store.database, store.scope, stream, kind)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
        return count

    say(f"{with_store(settings, dict(os.environ), work)} {what} exported")


def import_file(
    file: Path,
    form: SheetKind | None,
    settings: Path | None,
    check: Callable[[Source], None],
    work: Callable[[Store, Source], Awaitable[Outcome]],
) -> Outcome:
    """Do an import; a file that cannot be read is said before any database is started for it."""
    with reported_errors(), naming(file):
        kind = form or sheet_kind(file.name)
        with file.open("rb") as stream:
            source = Source(stream=stream, kind=kind, name=file.name)
            check(source)

            async def named_work(store: Store) -> Outcome:
                with naming(file):
                    return await work(store, source)

            return with_store(settings, dict(os.environ), named_work)


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Say which file it is that cannot be read."""
    try:
        yield
    except Invalid as error:
        if error.field != "file":
            raise
        msg = f"{file} {error}"
        raise Invalid(msg) from error


def print_outcome(outcome: Outcome, *, as_json: bool) -> None:
    """Say what an import did; ends the command with status 1 when a row was refused."""
    if as_json:
        print_json(
            {
                "rows": outcome.rows,
                "new": outcome.new,
                "changed": outcome.changed,
                "unchanged": outcome.unchanged,
                "refused": [as_row(bad) for bad in outcome.refused],
                "encoding": outcome.encoding,
                "dry_run": outcome.is_dry_run,
            }
        )
    else:
        if outcome.refused:
            rows = [as_row(bad) for bad in outcome.refused]
            print_rows(rows, as_json=False, columns=("line", "column", "reason"), empty="")
        if outcome.encoding == "gb18030":
            say("the file is in GB18030, as Chinese spreadsheets write CSV")
        would = "would be " if outcome.is_dry_run else ""
        say(
            f"{outcome.rows} rows: {outcome.new} {would}new, {outcome.changed} {would}changed,"
            f" {outcome.unchanged} unchanged, {outcome.refused_rows} refused"
        )
    if outcome.refused:
        raise typer.Exit(Exit.FAILED)
