"""Makes PDF of pages, in a process of its own without network and with limits.

One at a time in a process of the hub: a long page takes much memory for half a minute.
"""

import asyncio
import json
import logging
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hub.domain.errors import Conflict
from hub.patrols.reporting.pdf_worker import LACKING

log = logging.getLogger(__name__)

MOST_PDF_BYTES: Final = 200 * 1024**2
CHECK_S: Final = 30.0
_WORKER: Final = Path(__file__).with_name("pdf_worker.py")
# Nothing of the hub's environment, which may hold secrets; fontconfig finds its fonts without.
_ENVIRONMENT: Final = {"LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "HOME": "/nonexistent"}
_BEGINNING: Final = b"%PDF-"


class PdfLacking(Conflict):
    """This machine cannot make PDF; the text says what to install."""


class PdfFailed(Conflict):
    """A page was not made within the limits; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfLimits:
    """What one page may take."""

    wall_s: float = 300.0
    processor_s: int = 240
    memory_bytes: int = 3 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Printer:
    """Makes one PDF after the other."""

    limits: PdfLimits = field(default_factory=PdfLimits)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def print_page(self, html: str) -> bytes:
        """Return the page as PDF.

        Raises:
            PdfLacking: this machine lacks Pango or a Chinese font.
            PdfFailed: it took too long or too much memory.
        """
        async with self.turn:
            return await self._print(html)

    async def _print(self, html: str) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *_command(self.limits),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_ENVIRONMENT,
        )
        try:
            async with asyncio.timeout(self.limits.wall_s):
                said, _ = await process.communicate(html.encode())
        except TimeoutError as error:
            msg = f"the PDF was not made within {self.limits.wall_s:g} s"
            raise PdfFailed(msg) from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == LACKING:
            raise PdfLacking(_lacking(said))
        if process.returncode != 0 or not said.startswith(_BEGINNING):
            log.warning("a PDF was not made: exit status %s", process.returncode)
            msg = "the PDF was not made within its limits of memory and time: read the page (HTML)"
            raise PdfFailed(msg)
        return said


def pdf_trouble() -> str:
    """Why this machine cannot make PDF, with what to install; empty when it can. Blocks."""
    try:
        asked = subprocess.run(  # noqa: S603  # no shell: the command is a list of our own
            _command(PdfLimits(), is_check=True),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            timeout=CHECK_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the program that makes PDF did not answer within {CHECK_S:g} s"
    if asked.returncode == LACKING:
        return _lacking(asked.stdout)
    return "" if asked.returncode == 0 else "the program that makes PDF does not start"


def _command(limits: PdfLimits, *, is_check: bool = False) -> tuple[str, ...]:
    asked = {
        "memory_bytes": limits.memory_bytes,
        "processor_s": limits.processor_s,
        "check": is_check,
    }
    return sys.executable, "-I", str(_WORKER), json.dumps(asked)


def _lacking(said: bytes) -> str:
    return f"for PDF this machine lacks {said.decode(errors='replace')[:200]}"
