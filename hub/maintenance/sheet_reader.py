"""Tables as files, CSV and XLSX: how they are read, within limits.

Hands out text as it stands in the file; what a column means is the caller's affair. Workbooks are
opened in a process of their own (:mod:`hub.maintenance.sheet_worker`).
"""

import codecs
import csv
import io
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, BinaryIO

from hub.domain.errors import Invalid
from hub.runtime.sheets import SheetKind

_CHUNK_BYTES = 1 << 20
_WORKER = Path(__file__).with_name("sheet_worker.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a file that is not empty; ``number`` is the line it begins on, from 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLimits:
    """What a file may cost whoever reads it.

    ``unpacked_bytes`` is what the parts of a workbook (a ZIP archive) may grow to; memory and
    processor time bound the process that opens it.
    """

    file_bytes: int = 64 << 20
    rows: int = 200_001  # the header is one
    columns: int = 128
    characters: int = 32_767
    unpacked_bytes: int = 1 << 30
    memory_bytes: int = 2 << 30
    processor_s: int = 60


DEFAULT_LIMITS = SheetLimits()


def csv_encoding(stream: BinaryIO) -> str:
    """How a CSV file is encoded: ``utf-8-sig`` or, as Chinese Excel does, ``gb18030``.

    Raises:
        Invalid: neither.
    """
    for encoding in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        stream.seek(0)
        try:
            while chunk := stream.read(_CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        finally:
            stream.seek(0)
        return encoding
    msg = "is neither in UTF-8 nor in GB18030: save it in the spreadsheet as 'CSV UTF-8'"
    raise Invalid(msg, field="file")


def read_sheet(
    stream: BinaryIO, kind: SheetKind, limits: SheetLimits = DEFAULT_LIMITS
) -> Generator[Row, None, None]:
    """Read the rows of a CSV file, or of the first visible sheet of a workbook, as text.

    Empty rows are left out. The stream must be seekable and is read from its beginning.

    Raises:
        Invalid: it is no such file, is damaged, or exceeds a limit; possibly after some rows.
    """
    if stream.seek(0, io.SEEK_END) > limits.file_bytes:
        msg = f"is larger than {limits.file_bytes >> 20} MiB: import it in parts"
        raise Invalid(msg, field="file")
    stream.seek(0)
    rows = _read_csv(stream) if kind is SheetKind.CSV else _read_xlsx(stream, limits)
    with closing(rows):
        for count, row in enumerate(rows, start=1):
            _refuse_excess(row, count, limits)
            if any(cell.strip() for cell in row.cells):
                yield row


def _refuse_excess(row: Row, count: int, limits: SheetLimits) -> None:
    trouble = ""
    if count > limits.rows:
        trouble = f"has more than {limits.rows:,} rows: import it in parts"
    elif len(row.cells) > limits.columns:
        trouble = f"has more than {limits.columns} columns in line {row.number}"
    elif any(len(cell) > limits.characters for cell in row.cells):
        trouble = f"has a cell of more than {limits.characters} characters in line {row.number}"
    if trouble:
        raise Invalid(trouble, field="file")


def _read_csv(stream: BinaryIO) -> Generator[Row, None, None]:
    text = io.TextIOWrapper(stream, encoding=csv_encoding(stream), newline="")
    try:
        reader = csv.reader(text)
        before = 0
        for cells in reader:
            number, before = before + 1, reader.line_num
            yield Row(number=number, cells=tuple(cells))
    except csv.Error as error:
        msg = f"is no CSV file: {error}"
        raise Invalid(msg, field="file") from None
    finally:
        if not stream.closed:  # else whoever read on has gone, and the file with him
            text.detach()


def _read_xlsx(stream: BinaryIO, limits: SheetLimits) -> Generator[Row, None, None]:
    _refuse_bomb(stream, limits)
    with _named(stream) as file:
        command = [sys.executable, "-I", str(_WORKER), json.dumps(asdict(limits))]
        # Nothing of the hub's environment, which may hold secrets.
        worker = subprocess.Popen(  # noqa: S603 - our own script, no word of the file in it
            command,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"LANG": "C.UTF-8"},
        )
        try:
            yield from _from_worker(worker.stdout or io.BytesIO())
        finally:
            worker.kill()
            worker.wait()
            if worker.stdout is not None:
                worker.stdout.close()


def _from_worker(lines: IO[bytes]) -> Iterator[Row]:
    """The worker's rows; raises Invalid when it ends without saying that it is done."""
    for line in lines:
        match json.loads(line):
            case [int(number), list(cells)]:
                yield Row(number=number, cells=tuple(str(cell) for cell in cells))
            case "done":
                return
            case said:
                raise Invalid(str(said), field="file")
    msg = "is a workbook that cannot be read: it is damaged, or far larger than it looks"
    raise Invalid(msg, field="file")


def _refuse_bomb(stream: BinaryIO, limits: SheetLimits) -> None:
    """Look at the directory of the archive before anything is unpacked."""
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        msg = "is no XLSX workbook: save it in the spreadsheet as 'Excel workbook (.xlsx)'"
        raise Invalid(msg, field="file") from None
    if sum(part.file_size for part in parts) > limits.unpacked_bytes:
        msg = f"unpacks to more than {limits.unpacked_bytes >> 20} MiB: import it in parts"
        raise Invalid(msg, field="file")


@contextmanager
def _named(stream: BinaryIO) -> Iterator[IO[bytes]]:
    """The stream as a file of the operating system, which another process can read."""
    stream.seek(0)
    try:
        stream.fileno()
    except (OSError, AttributeError):
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(stream, copy)
            copy.flush()
            copy.seek(0)
            yield copy
    else:
        yield stream
