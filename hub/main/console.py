"""What commands print: tables for people, JSON for programs, errors that say what to do."""

import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import IntEnum
from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from hub.domain.errors import GengfuError
from hub.runtime.logs import mask

Row = Mapping[str, object]

# Lines of a table that goes into a file or a pipe are never folded.
UNFOLDED_WIDTH = 10_000

# Columns whose table heading is shorter than the name programs know them by.
_HEADINGS = {"area_name": "area", "behind_name": "behind"}


class Exit(IntEnum):
    """Exit status of every command."""

    DONE = 0
    FAILED = 1
    WRONG_USAGE = 2


def print_rows(rows: Sequence[Row], *, as_json: bool, columns: Sequence[str], empty: str) -> None:
    """Print a list: a JSON array, or a table with these columns.

    Names come from devices: they are printed as they are, without markup or control characters.
    """
    if as_json:
        print_json(rows)
        return
    if not rows:
        sys.stdout.write(empty + "\n")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        zone = _zone([row[column] for row in rows])
        name = _HEADINGS.get(column, column).removeprefix("is_").replace("_", " ")
        table.add_column(name + zone, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row[column])) for column in columns))
    width = None if sys.stdout.isatty() else UNFOLDED_WIDTH
    Console(file=sys.stdout, width=width).print(table)


def print_json(value: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n")


def print_line(text: str) -> None:
    """Print one line of a result; foreign text in it cannot steer the terminal."""
    sys.stdout.write("".join(map(_visible, text)) + "\n")


def say(text: str) -> None:
    """Tell a person something that is no result; foreign text cannot steer the terminal."""
    sys.stderr.write("".join(map(_visible, mask(text))) + "\n")


def fail(error: GengfuError | str, status: Exit = Exit.FAILED) -> NoReturn:
    """Say what went wrong and end the command."""
    for line in str(error).splitlines():
        say(f"gengfu: {line.strip()}")
    raise typer.Exit(status)


@contextmanager
def reported_errors() -> Iterator[None]:
    """Turn our errors, grouped or not, and the system's into a message and exit status 1."""
    try:
        yield
    except GengfuError as error:
        fail(error)
    except BrokenPipeError:  # whoever read our output has gone: nothing to say, nobody to hear it
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        fail(f"{where}{error.strerror or error}")
    except BaseExceptionGroup as group:
        ours, rest = group.split(GengfuError)
        if ours is None or rest is not None:
            raise
        fail("\n".join(str(error) for error in _leaves(ours)))


def progress() -> Progress:
    """A progress bar on standard error; nothing where no person looks."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )


def as_row(value: object) -> dict[str, object]:
    """A dataclass as a row."""
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        msg = f"{type(value).__name__} is no dataclass"
        raise TypeError(msg)
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _leaves(group: BaseExceptionGroup[GengfuError]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _zone(values: Sequence[object]) -> str:
    """Which time the machine's is, said once for a column of times."""
    offsets = {f"{v.astimezone():%z}" for v in values if isinstance(v, datetime)}
    return f" ({', '.join(f'UTC{o[:3]}:{o[3:]}' for o in sorted(offsets))})" if offsets else ""


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "".join(map(_visible, str(value)))


def _visible(character: str) -> str:
    return character if character.isprintable() else "\ufffd"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return as_row(value)
    return str(value)
