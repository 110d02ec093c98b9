"""PDF of pages: made by a process that reads, fetches and starts nothing for anybody."""

import asyncio
import sys
from pathlib import Path

import pytest

from hub.patrols.reporting.pdf import PdfFailed, PdfLimits, Printer, pdf_trouble
from hub.patrols.reporting.pdf_worker import FONT, PANGO

CHINESE = "<!doctype html><meta charset=utf-8><p>零点夜查报告</p>"


async def test_a_chinese_page_becomes_a_pdf_with_its_font_in_it() -> None:
    assert await asyncio.to_thread(pdf_trouble) == ""
    made = await Printer().print_page(CHINESE)
    assert made.startswith(b"%PDF-")
    assert b"/FontFile" in made or b"/Length1" in made or len(made) > 4000


@pytest.mark.threat("T7")
async def test_a_hostile_page_reaches_neither_network_nor_files(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(100))
        writer.close()

    secret = tmp_path / "secret.txt"
    secret.write_text("camera-secret " * 200)
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        host = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        html = (
            f"{CHINESE}<link rel=stylesheet href='{host}/a.css'>"
            f"<link rel=attachment href='file://{secret}'>"
            f"<a rel=attachment href='file://{secret}'>x</a>"
            f"<style>@import url({host}/b.css); p {{ background: url(file:///etc/passwd) }}</style>"
            f"<img src='{host}/d.png'><img src='file://{secret}'><img src='//127.0.0.1/e'>"
            f"<object data='{host}/f.svg'></object><script>fetch('{host}/g')</script>"
            f"<svg><image href='{host}/h.png'/></svg>"
        )
        plain, made = await Printer().print_page(CHINESE), await Printer().print_page(html)
        font = f"<style>@font-face {{ font-family: x; src: url({host}/c.ttf) }}</style>"
        with pytest.raises(PdfFailed):  # a font of its own would need a folder to lie in
            await Printer().print_page(CHINESE + font)
    assert asked == []
    for inside in (b"EmbeddedFile", b"/JavaScript", b"/Launch", b"camera-secret"):
        assert inside not in made
    assert len(made) < len(plain) + 5000  # nothing of the file, packed or not


async def test_a_page_that_takes_too_long_or_too_much_is_given_up() -> None:
    slow = Printer(limits=PdfLimits(wall_s=0.05))
    with pytest.raises(PdfFailed, match="within"):
        await slow.print_page(CHINESE)
    narrow = Printer(limits=PdfLimits(memory_bytes=40 * 1024**2))
    with pytest.raises(PdfFailed, match="limits"):
        await narrow.print_page(CHINESE)


async def test_a_machine_without_chinese_fonts_is_told_what_to_install(tmp_path: Path) -> None:
    """The real worker on a machine whose fontconfig knows no font."""
    nothing = tmp_path / "fonts.conf"
    nothing.write_text("<?xml version='1.0'?><fontconfig></fontconfig>")
    worker = Path(sys.modules["hub.patrols.reporting.pdf_worker"].__file__ or "")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(worker),
        '{"memory_bytes": 3000000000, "processor_s": 60, "check": true}',
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"FONTCONFIG_FILE": str(nothing), "HOME": str(tmp_path)},
    )
    said, _ = await process.communicate()
    assert (process.returncode, said.decode()) == (3, FONT)
    assert "apt install" in FONT
    assert "apt install" in PANGO
