"""The pictures that are kept: what is written, what is not, what goes."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from hub.maintenance.pictures.evidence import (
    EvidenceFolder,
    EvidenceLimits,
    FreeBytes,
    Kind,
    free_bytes,
)
from hub.maintenance.pictures.figures import PictureFigures
from hub.runtime.files import NotKept

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
PLENTY = 10**12


def folder(
    data_dir: Path, free: FreeBytes = lambda _path: PLENTY, **limits: object
) -> EvidenceFolder:
    return EvidenceFolder(data_dir, EvidenceLimits(**limits), free=free)  # type: ignore[arg-type]  # by name


def files_in(data_dir: Path) -> set[str]:
    return {str(path.relative_to(data_dir)) for path in data_dir.rglob("*") if path.is_file()}


def written(path: Path, at: datetime) -> None:
    os.utime(path, (at.timestamp(), at.timestamp()))


async def test_the_last_of_each_kind_is_kept(tmp_path: Path) -> None:
    kept = folder(tmp_path)
    assert await kept.read(70_123, Kind.BAD) == b""
    await kept.keep(70_123, Kind.GOOD, b"good")
    await kept.keep(70_123, Kind.BAD, b"bad")
    await kept.keep(70_123, Kind.BAD, b"worse")
    await kept.keep_labelled(12_345, b"meant")
    assert await kept.read(70_123, Kind.GOOD) == b"good"
    assert await kept.read(70_123, Kind.BAD) == b"worse"
    assert await kept.read_labelled(12_345) == b"meant"
    assert files_in(tmp_path) == {
        "pictures/70/70123/good.jpg",
        "pictures/70/70123/bad.jpg",
        "pictures/labelled/12/12345.jpg",
    }
    await kept.forget([70_123, 9])
    await kept.forget_labelled([12_345, 9])
    assert files_in(tmp_path) == set()


@pytest.mark.threat("T6")
@pytest.mark.parametrize(
    "name",
    [
        lambda kept, number: kept.path(number, Kind.BAD),
        lambda kept, number: kept.labelled_path(number),
    ],
)
@pytest.mark.parametrize("number", ["../../etc/passwd", "1/../2", "%2e%2e", "7\0", None, 1.5])
def test_only_a_number_becomes_a_name(
    tmp_path: Path, name: Callable[[EvidenceFolder, object], Path], number: object
) -> None:
    with pytest.raises((TypeError, ValueError)):
        name(folder(tmp_path), number)


@pytest.mark.threat("K10")
async def test_a_nearly_full_disk_is_left_alone_and_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    free = PLENTY
    kept = folder(tmp_path, lambda _path: free, least_free_bytes=1024**3)
    metrics = CollectorRegistry()
    PictureFigures(metrics).watch(kept)
    await kept.keep(1, Kind.GOOD, b"good")
    assert metrics.get_sample_value("gengfu_picture_evidence_refused") == 0
    free = 1024**3 + 3
    for number in range(3):
        with pytest.raises(NotKept, match="less than 1024 MiB are free"):
            await kept.keep(number, Kind.GOOD, b"good")
    assert kept.trouble == "less than 1024 MiB are free on the disk"
    assert metrics.get_sample_value("gengfu_picture_evidence_refused") == 1
    assert len(caplog.records) == 1
    assert await kept.read(1, Kind.GOOD) == b"good", "what is there stays"
    free = PLENTY
    await kept.keep(2, Kind.GOOD, b"good")
    assert kept.trouble == ""
    assert [record.getMessage() for record in caplog.records] == [
        "no pictures are kept as evidence: less than 1024 MiB are free on the disk",
        "pictures are kept as evidence again",
    ]


def test_the_disk_of_a_folder_that_is_not_there_yet_is_known(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "a" / "b") > 0


LIMITED = """
import asyncio, resource, signal, sys
from pathlib import Path
from hub.maintenance.pictures.evidence import EvidenceFolder, Kind
from hub.maintenance.pictures.figures import PictureFigures
from hub.runtime.files import NotKept
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
async def main():
    kept = EvidenceFolder(Path(sys.argv[1]), free=lambda path: 10**12)
    await kept.keep(1, Kind.BAD, b"before")
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        await kept.keep(1, Kind.BAD, b"x" * 5000)
    except NotKept as error:
        print(error, "|", await kept.read(1, Kind.BAD), "|", kept.trouble)
asyncio.run(main())
"""


@pytest.mark.threat("K10")
def test_a_disk_that_takes_half_of_it_keeps_the_picture_before(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "disk full | b'before' | disk full"
    assert files_in(tmp_path) == {"pictures/0/1/bad.jpg"}


async def test_a_picture_too_large_is_refused_and_is_no_trouble_of_the_disk(
    tmp_path: Path,
) -> None:
    kept = folder(tmp_path, most_picture_bytes=1024)
    with pytest.raises(NotKept, match="larger than 1 KiB"):
        await kept.keep(1, Kind.BAD, b"x" * 1025)
    assert kept.trouble == ""
    assert files_in(tmp_path) == set()


async def test_all_together_have_a_limit_that_survives_a_restart(tmp_path: Path) -> None:
    kept = folder(tmp_path, most_bytes=1000)
    await kept.keep(1, Kind.GOOD, b"x" * 600)
    with pytest.raises(NotKept, match="reach their limit"):
        await kept.keep(2, Kind.GOOD, b"x" * 600)
    again = folder(tmp_path, most_bytes=1000)
    with pytest.raises(NotKept, match="reach their limit"):
        await again.keep(2, Kind.GOOD, b"x" * 600)
    await again.keep(1, Kind.GOOD, b"x" * 500)
    await again.keep(2, Kind.GOOD, b"x" * 500)
    await again.forget([1])
    await again.keep(2, Kind.GOOD, b"x" * 900)


async def test_tidying_removes_the_old_the_foreign_and_the_torn(tmp_path: Path) -> None:
    kept = folder(tmp_path, kept_for=timedelta(days=90))
    for number in (1, 2, 3):
        await kept.keep(number, Kind.GOOD, b"good")
        written(kept.path(number, Kind.GOOD), NOON - timedelta(days=1))
    await kept.keep_labelled(5, b"meant")
    written(kept.labelled_path(5), NOON - timedelta(days=900))
    written(kept.path(2, Kind.GOOD), NOON - timedelta(days=91))
    torn = kept.path(1, Kind.GOOD).with_name(".bad.jpg.77.new")
    torn.write_bytes(b"half")
    written(torn, NOON - timedelta(hours=2))
    stranger = tmp_path / "pictures" / "readme.txt"
    stranger.write_text("somebody's")
    written(stranger, NOON - timedelta(days=900))
    assert await kept.tidy(NOON, {1, 2}) == 3
    assert files_in(tmp_path) == {
        "pictures/0/1/good.jpg",
        "pictures/labelled/0/5.jpg",
        "pictures/readme.txt",
    }
    assert await kept.tidy(NOON) == 0
    assert not kept.path(3, Kind.GOOD).parent.exists()


async def test_of_too_much_the_oldest_go(tmp_path: Path) -> None:
    kept = folder(tmp_path)
    for number in range(4):
        await kept.keep(number, Kind.GOOD, b"x" * 400)
        written(kept.path(number, Kind.GOOD), NOON - timedelta(days=number))
    smaller = folder(tmp_path, most_bytes=1000)
    assert await smaller.tidy(NOON) == 2
    assert files_in(tmp_path) == {"pictures/0/0/good.jpg", "pictures/0/1/good.jpg"}
    await smaller.keep(9, Kind.GOOD, b"x" * 200)
