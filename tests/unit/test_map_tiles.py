"""The file of tiles: what its header must say, which ranges are answered, how answers are kept."""

import gzip
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from hub.web.map_answers import KEPT_S, MOST_KEPT, MapAnswers
from hub.web.map_tiles import (
    MOST_RANGE_BYTES,
    TilesUnusable,
    parse_range,
    read_archive,
    read_range,
)
from tests.pmtiles_file import build_pmtiles


def test_a_good_header_is_read(tmp_path: Path) -> None:
    path = tmp_path / "county.pmtiles"
    path.write_bytes(build_pmtiles(kind=1, zooms=(0, 9)))
    found = read_archive(path)
    assert (found.format, found.min_zoom, found.max_zoom) == ("mvt", 0, 9)
    assert found.bounds == (-180.0, -85.0, 180.0, 85.0)
    assert found.size == path.stat().st_size
    assert read_range(path, 0, 6) == b"PMTiles"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "no PMTiles"),
        (b"SQLite format 3\0" + bytes(200), "no PMTiles"),
        (build_pmtiles()[:-1], "cut short"),
        (build_pmtiles(version=2), "version 2"),
        (build_pmtiles(inner=3), "compressed"),
        (build_pmtiles(kind=0), "makes no sense"),
        (build_pmtiles(zooms=(9, 3)), "makes no sense"),
    ],
)
@pytest.mark.threat("T6")
def test_a_file_that_cannot_be_shown_is_refused_in_words(
    tmp_path: Path, data: bytes, word: str
) -> None:
    path = tmp_path / "county.pmtiles"
    path.write_bytes(data)
    with pytest.raises(TilesUnusable, match=word) as caught:
        read_archive(path)
    assert str(tmp_path) not in str(caught.value)
    path.unlink()
    with pytest.raises(TilesUnusable, match="No such file"):
        read_archive(path)


def test_one_range_is_answered_to_the_end_of_the_file() -> None:
    assert parse_range("bytes=0-16383", 200) == (0, 199)
    assert parse_range("bytes=7-", 200) == (7, 199)


@pytest.mark.parametrize(
    "header",
    [
        None, "", "bytes=0-1,4-5", "bytes=-5", "bytes=5-1", "bytes=900-", "items=0-1",
        f"bytes=0-{MOST_RANGE_BYTES}", "bytes=" + ",".join(f"{n}-{n}" for n in range(9_000)),
        "bytes=0-" + "9" * 4_000, "bytes=\u0660-\u0669",
    ],
)  # fmt: skip
@pytest.mark.threat("T26")
def test_every_other_range_is_refused_before_it_is_looked_at(header: str | None) -> None:
    size = 800 if header != f"bytes=0-{MOST_RANGE_BYTES}" else 1 << 40
    with pytest.raises(HTTPException) as caught:
        parse_range(header, size)
    assert caught.value.status_code == 416


async def test_answers_are_kept_a_moment_for_the_same_question_alone() -> None:
    now = [0.0]
    made: list[str] = []
    answers = MapAnswers(lambda: now[0])

    ages: list[str] = []

    async def ask(key: str, accepted: str = "gzip, deflate") -> tuple[bytes, str | None]:
        async def make() -> str:
            made.append(key)
            return f'{{"for":"{key}","{len(made)}":"' + "x" * 4_000 + '"}'

        headers = [(b"accept-encoding", accepted.encode())]
        found = await answers.answer(Request({"type": "http", "headers": headers}), key, make)
        ages.append(found.headers["age"])
        return bytes(found.body), found.headers.get("content-encoding")

    packed, encoding = await ask("east")
    plain, none = await ask("east", "gzip;q=0")
    assert (encoding, none) == ("gzip", None)
    assert gzip.decompress(packed) == plain
    assert b'"for":"west"' in (await ask("west", ""))[0]
    assert made == ["east", "west"]
    assert ages == ["0", "1", "0"], "what is kept is not said to be of this moment"
    now[0] += KEPT_S / 2
    await ask("west")
    assert ages[-1] == "1"
    now[0] += KEPT_S
    await ask("east")
    assert made == ["east", "west", "east"]
    for number in range(MOST_KEPT):
        await ask(str(number))
    await ask("east")
    assert made[-1] == "east", "what was kept longest went to make room"
