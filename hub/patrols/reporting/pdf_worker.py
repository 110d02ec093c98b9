"""The program that sets a page on paper: HTML on stdin, PDF on stdout.

Run as a script by :mod:`hub.patrols.reporting.pdf`. It fetches nothing but what the page holds
itself (data: addresses), opens no socket, starts no program, writes no file, and has limits of
memory and processor time. With "check" it only says whether it could work.

Exit status: 0 done; 3 this machine lacks a library or a font, said on stdout; else it failed.
"""

import ctypes
import json
import os
import resource
import sys
import tempfile
from typing import BinaryIO, Final

LACKING: Final = 3
NICENESS: Final = 10
PANGO: Final = "Pango (apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)"
FONT: Final = "a Chinese font (apt install fonts-wqy-microhei)"
_CHINESE: Final = b":lang=zh-cn"
_REFUSED: Final = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.system", "os.fork")


def main() -> int:
    """Answer one request."""
    os.nice(NICENESS)  # the round of the night comes first
    limits = json.loads(sys.argv[1])
    memory, seconds = int(limits["memory_bytes"]), int(limits["processor_s"])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sink = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # what a library prints must not pass for a PDF
    lacking = find_lacking()
    if lacking:
        sink.write(lacking.encode())
        sink.flush()
        return LACKING
    if limits.get("check"):
        return 0
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    html = sys.stdin.buffer.read()
    write_pdf(html.decode(), sink)
    sink.flush()
    return 0


def find_lacking() -> str:
    """What this machine lacks for Chinese pages, with what to install; empty: nothing."""
    try:
        import weasyprint  # type: ignore[import-untyped]  # noqa: F401, PLC0415 - no types; loads Pango
    except OSError:
        return PANGO
    return "" if _has_chinese_font() else FONT


def write_pdf(html: str, sink: BinaryIO) -> None:
    """Set a page; whatever it refers to outside of itself is left out."""
    from weasyprint import HTML  # noqa: PLC0415 - as above
    from weasyprint.urls import (  # type: ignore[import-untyped]  # noqa: PLC0415 - as above
        URLFetcher,
    )

    tempfile.tempdir = os.devnull  # nothing is written: a library that tries fails here
    sys.addaudithook(_refuse)
    fetcher = URLFetcher(allowed_protocols=("data",), allow_redirects=False)
    document = HTML(string=html, url_fetcher=fetcher, base_url=None)
    document.write_pdf(sink, presentational_hints=False)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    """No network, no program, no file for writing: not for anything that a page could ask for."""
    is_writing = (
        event == "open" and len(arguments) > 1 and any(c in str(arguments[1]) for c in "wax+")
    )
    if is_writing or event.startswith(_REFUSED):
        msg = f"{event} is refused here"
        raise PermissionError(msg)


def _has_chinese_font() -> bool:
    """Ask fontconfig for any font that has what Chinese needs."""
    try:
        config = ctypes.CDLL("libfontconfig.so.1")
    except OSError:
        return False
    config.FcNameParse.restype = ctypes.c_void_p
    config.FcNameParse.argtypes = (ctypes.c_char_p,)
    config.FcObjectSetCreate.restype = ctypes.c_void_p
    config.FcFontList.restype = ctypes.POINTER(_FontSet)
    config.FcFontList.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    found = config.FcFontList(None, config.FcNameParse(_CHINESE), config.FcObjectSetCreate())
    return bool(found) and found.contents.count > 0


class _FontSet(ctypes.Structure):
    """FcFontSet of fontconfig.h, as far as it is read."""

    _fields_ = (("count", ctypes.c_int), ("room", ctypes.c_int))


if __name__ == "__main__":
    sys.exit(main())
