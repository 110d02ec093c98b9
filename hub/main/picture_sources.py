"""What `gengfu quality` is asked to judge: files, folders and addresses become orders.

Nothing is decoded here. The name of a subject is printed: it never holds a password.
"""

import asyncio
import stat
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from config.schema import Settings
from hub.domain.addresses import STREAM_SCHEMES, WEB_SCHEMES, IPAddress, parse_address
from hub.domain.errors import GengfuError, Invalid
from hub.domain.ports import CameraTarget, FetchFrames, JudgePicture
from hub.domain.quality import CheckOrder, Codec, EncodedFrame, Mode, PictureCheck, Thresholds
from hub.domain.quality_profiles import NIGHT, PROFILES
from hub.domain.secrets import Credentials, Secret
from hub.main.labelled_pictures import list_pictures
from hub.main.picture_tables import Judged
from hub.main.servers import Servers, configured_broker, configured_database
from hub.main.surroundings import device_policy, utc_now
from hub.runtime.embedded_postgres import EmbeddedPostgres
from hub.runtime.files import write_whole
from hub.runtime.outbound import open_client
from streams.frames import fetch_frames
from streams.jpeg import MAX_JPEG_BYTES, parse_jpeg_size

# Enough to tell a frozen picture and a shaking camera from others.
FRAMES: Final = 3
SPACING_S: Final = 1.0
EXPLAINED_WIDTH: Final = 1280
_JPEG_START: Final = b"\xff\xd8\xff"
_OTHER_KINDS: Final = (
    (b"\x89PNG", "PNG"),
    (b"RIFF", "WebP or AVI"),
    (b"BM", "BMP"),
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
)


class JudgeAndExplain(Protocol):
    """Judges pictures, and draws into one what was found."""

    async def __call__(self, order: CheckOrder) -> PictureCheck:
        """Return what is found."""

    async def explain(self, order: CheckOrder, check: PictureCheck) -> bytes:
        """Return an annotated JPEG."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One picture, or the frames of one visit, that somebody wants judged.

    ``place`` becomes a part of a file's name. ``look`` has it judged; it raises GengfuError or
    OSError when there is nothing to judge.
    """

    name: str
    place: str
    profile: str
    look: Callable[[JudgePicture], Awaitable[tuple[CheckOrder, PictureCheck]]]
    device_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """With what pictures are judged; ``explain`` is the folder for annotated ones."""

    judge: JudgeAndExplain
    at_once: int = 1
    explain: Path | None = None


async def judge_all(subjects: Sequence[Subject], lens: Lens) -> AsyncIterator[Judged]:
    """Judge subjects, several at once, in their order; one that fails does not stop the others."""
    waiting: deque[asyncio.Task[Judged]] = deque()
    numbered = iter(enumerate(subjects, start=1))
    try:
        while True:
            while len(waiting) < lens.at_once * 2 and (following := next(numbered, None)):
                number, subject = following
                waiting.append(asyncio.create_task(_judge(number, subject, lens)))
            if not waiting:
                return
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def file_subjects(path: Path, profile: str) -> list[Subject]:
    """A file, or every JPEG of a folder.

    Raises:
        Invalid: the folder holds none.
    """
    if not path.is_dir():
        return [_file_subject(path, profile)]
    found = list_pictures(path)
    if not found:
        msg = f"no .jpg or .jpeg file in the folder {path}"
        raise Invalid(msg)
    return [_file_subject(one, profile) for one in found]


def address_subject(text: str, profile: str, fetch: FetchFrames, timeout_s: float) -> Subject:
    """What a camera shows under an address of its picture or stream, now.

    Raises:
        AddressRefused: it is no such address; the message does not repeat it.
    """
    address = parse_address(text, schemes=STREAM_SCHEMES)
    is_web = address.scheme in WEB_SCHEMES
    target = CameraTarget(
        device_id=0,
        channel="1",
        snapshot_address=address.text if is_web else "",
        stream_address="" if is_web else address.text,
        credentials=Credentials(username=address.username, password=Secret(address.password)),
    )

    async def look(judge: JudgePicture) -> tuple[CheckOrder, PictureCheck]:
        frames = await fetch(target, count=FRAMES, spacing_s=SPACING_S, timeout_s=timeout_s)
        order = plain_order(frames, PROFILES[profile])
        return order, await judge(order)

    return Subject(name=address.text, place=address.host, profile=f"profile {profile}", look=look)


def is_address(text: str) -> bool:
    """Tell an address from a file or a device, well formed or not."""
    return "://" in text


def failed_subject(name: str, error: Exception) -> Subject:
    """What somebody named that cannot be looked at: it is said in its turn."""

    async def look(_judge: JudgePicture) -> tuple[CheckOrder, PictureCheck]:
        raise error

    return Subject(name=name, place="", profile="", look=look)


async def open_fetch(settings: Settings, stack: AsyncExitStack) -> FetchFrames:
    """The way to cameras, within the networks that the settings allow."""
    policy = device_policy(settings, _own_endpoints(settings))
    client = await stack.enter_async_context(open_client(policy))
    return partial(fetch_frames, client=client, policy=policy, clock=utc_now)


def plain_order(frames: Iterable[EncodedFrame], thresholds: Thresholds) -> CheckOrder:
    """An order for pictures of which nothing is known; infrared ones were taken at night."""
    return CheckOrder(frames=tuple(frames), thresholds=thresholds, infrared=at_night(thresholds))


def at_night(thresholds: Thresholds) -> Thresholds:
    """The thresholds if the picture is an infrared one; what is not judged stays so."""
    return {index: value and max(value, NIGHT[index] or 0.0) for index, value in thresholds.items()}


def read_frame(path: Path) -> EncodedFrame:
    """Read a JPEG file.

    Raises:
        Invalid: it is none.
        ProtocolViolation: it is cut off or too large.
        OSError: it cannot be read.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        msg = "no file but a device, a pipe or a socket"  # it might never end
        raise Invalid(msg)
    if status.st_size > MAX_JPEG_BYTES:
        msg = f"a file of {status.st_size / 2**20:.1f} MiB: at most {MAX_JPEG_BYTES >> 20} MiB"
        raise Invalid(msg)
    with path.open("rb") as file:
        data = file.read(MAX_JPEG_BYTES + 1)
    if not data:
        msg = "the file is empty"
        raise Invalid(msg)
    if not data.startswith(_JPEG_START):
        kind = next((name for start, name in _OTHER_KINDS if data.startswith(start)), "")
        msg = f"no JPEG but {kind}: save it as JPEG first" if kind else "no JPEG picture"
        raise Invalid(msg)
    parse_jpeg_size(data)
    taken_at = datetime.fromtimestamp(status.st_mtime, UTC)
    return EncodedFrame(codec=Codec.JPEG, data=data, taken_at=taken_at)


def _own_endpoints(settings: Settings) -> frozenset[tuple[IPAddress, int]]:
    """What no camera may lead to, as far as it can be known without starting anything."""
    running = EmbeddedPostgres.find_running(settings.data_dir)
    has_database, has_broker = settings.database.url is not None, settings.mqtt.url is not None
    servers = Servers(
        database_url=configured_database(settings) if has_database else running or Secret(""),
        broker_address=configured_broker(settings)[0] if has_broker else "mqtt://localhost",
        broker_credentials=Credentials(),
    )
    return servers.own_endpoints(settings)


def _file_subject(path: Path, profile: str) -> Subject:
    async def look(judge: JudgePicture) -> tuple[CheckOrder, PictureCheck]:
        order = plain_order([await asyncio.to_thread(read_frame, path)], PROFILES[profile])
        return order, await judge(order)

    return Subject(name=str(path), place=path.stem, profile=f"profile {profile}", look=look)


async def _judge(number: int, subject: Subject, lens: Lens) -> Judged:
    try:
        order, check = await subject.look(lens.judge)
        file = ""
        if lens.explain is not None:
            jpeg = await lens.judge.explain(order, check)
            path = lens.explain / f"{number:04d}-{_plain(subject.place)}.jpg"
            await asyncio.to_thread(write_whole, path, jpeg)
            file = str(path)
    except GengfuError as error:
        return _failed(subject, "; ".join([str(error), *getattr(error, "__notes__", ())]))
    except OSError as error:
        return _failed(subject, error.strerror or str(error))
    is_infrared = check.mode is Mode.INFRARED
    return Judged(
        name=subject.name,
        device_id=subject.device_id,
        profile=subject.profile,
        thresholds=order.infrared if is_infrared else order.thresholds,
        check=check,
        explained=file,
    )


def _failed(subject: Subject, error: str) -> Judged:
    return Judged(
        name=subject.name,
        device_id=subject.device_id,
        profile=subject.profile,
        thresholds={},
        error=error,
    )


def _plain(place: str) -> str:
    """A part of a file's name, of whatever somebody called a picture or a camera."""
    return "".join(c if c.isalnum() else "-" for c in place)[:60] or "picture"
