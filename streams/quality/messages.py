"""How the hub and a judging process talk: a JSON header and raw blobs, every length checked.

Nothing is ever unpickled. What comes from the process is as untrusted as the camera whose bytes
it worked on: words are of known lists, numbers finite and in range, texts short and printable,
and the thresholds are those that were sent, not those that come back.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from typing import Final, cast

from hub.domain.devices import Json
from hub.domain.errors import Invalid, ProtocolViolation
from hub.domain.json_fields import Fields, refuse
from hub.domain.quality import (
    MAX_SCORE,
    BandKey,
    CheckOrder,
    Codec,
    EncodedFrame,
    Finding,
    Index,
    Mode,
    PictureCheck,
    Polygon,
    Region,
    Thresholds,
)
from streams.jpeg import MAX_PIXELS, parse_jpeg_size

MAX_HEADER_BYTES: Final = 1024 * 1024  # masks may have many corners
MAX_BLOBS: Final = 64
MAX_BLOB_BYTES: Final = 8 * 1024 * 1024  # a frame, as streams.jpeg and streams.rtp allow it
MAX_STATE_BYTES: Final = 64 * 1024  # a fingerprint, a baseline
MAX_EVIDENCE_BYTES: Final = 4 * 1024 * 1024
LONGEST_WHY: Final = 400  # characters
MAX_SIDE: Final = 65_535
MOST_REGIONS: Final = 16

_LENGTH = struct.Struct(">I")
LENGTH_BYTES: Final = _LENGTH.size


class Malformed(Exception):
    """What came is no message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A header, and the blobs it speaks of."""

    header: Mapping[str, Json]
    blobs: Sequence[bytes]


def pack(header: Mapping[str, Json], blobs: Sequence[bytes]) -> bytes:
    """Return the bytes of a message."""
    full = {**header, "sizes": [len(blob) for blob in blobs]}
    text = json.dumps(full, allow_nan=False, separators=(",", ":")).encode("ascii")
    return b"".join((_LENGTH.pack(len(text)), text, *blobs))


def parse_length(data: bytes) -> int:
    """Return how long the header is, from a message's first LENGTH_BYTES."""
    (length,) = _LENGTH.unpack(data)
    if length > MAX_HEADER_BYTES:
        msg = "the header is too long"
        raise Malformed(msg)
    return int(length)


def parse_header(data: bytes) -> tuple[dict[str, Json], list[int]]:
    """Return the header, and the sizes of the blobs that follow it."""
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as error:
        msg = "the header is not JSON"
        raise Malformed(msg) from error
    sizes = raw.pop("sizes", None) if isinstance(raw, dict) else None
    if not isinstance(sizes, list) or len(sizes) > MAX_BLOBS:
        msg = "the header tells no sizes"
        raise Malformed(msg)
    if any(type(size) is not int or not 0 <= size <= MAX_BLOB_BYTES for size in sizes):
        msg = "a blob is too large"
        raise Malformed(msg)
    return cast("dict[str, Json]", raw), sizes


def build_order(order: CheckOrder, check: PictureCheck | None = None) -> bytes:
    """Return the message that asks for an order to be judged, or for its check to be explained.

    Raises:
        ProtocolViolation: a frame exceeds the limits.
    """
    if any(len(frame.data) > MAX_BLOB_BYTES for frame in order.frames):
        msg = f"a frame exceeds {MAX_BLOB_BYTES} bytes"
        raise ProtocolViolation(msg)
    keys = list(order.baselines)
    header: dict[str, Json] = {
        "frames": [[frame.codec, frame.taken_at.timestamp()] for frame in order.frames],
        "thresholds": dict(order.thresholds),
        "infrared": dict(order.infrared),
        "band": order.band,
        "baselines": [[band, mode] for band, mode in keys],
        "masks": [[list(corner) for corner in mask] for mask in order.masks],
        "evidence_width": order.evidence_width,
        "moved": order.moved,
        "wants_learnt": order.wants_learnt,
        "wants_movement": order.wants_movement,
        "check": None if check is None else _write_check(check),
    }
    blobs = [frame.data for frame in order.frames]
    return pack(header, [*blobs, order.previous, *(order.baselines[key] for key in keys)])


def parse_order(message: Message) -> tuple[CheckOrder, PictureCheck | None]:
    """Return the order, and the check that is to be explained, if that is what is asked.

    The hub is trusted: what does not fit raises whatever it raises, and ends the process.
    """
    kinds = cast("list[tuple[str, float]]", message.header["frames"])
    keys = cast("list[tuple[int, str]]", message.header["baselines"])
    masks = cast("list[Polygon]", message.header["masks"])
    frames = tuple(
        EncodedFrame(codec=Codec(codec), data=data, taken_at=datetime.fromtimestamp(at, UTC))
        for (codec, at), data in zip(kinds, message.blobs, strict=False)
    )
    baselines: dict[BandKey, bytes] = {
        (band, Mode(mode)): state
        for (band, mode), state in zip(keys, message.blobs[len(kinds) + 1 :], strict=True)
    }
    order = CheckOrder(
        frames=frames,
        thresholds=_read_thresholds(message.header["thresholds"]),
        infrared=_read_thresholds(message.header["infrared"]),
        band=cast("int", message.header["band"]),
        previous=message.blobs[len(kinds)],
        baselines=baselines,
        masks=tuple(tuple((x, y) for x, y in mask) for mask in masks),
        evidence_width=cast("int", message.header["evidence_width"]),
        moved=bool(message.header["moved"]),
        wants_learnt=bool(message.header["wants_learnt"]),
        wants_movement=bool(message.header["wants_movement"]),
    )
    raw = message.header["check"]
    if raw is None:
        return order, None
    return order, _read_check(cast("dict[str, Json]", raw))


def build_answer(check: PictureCheck) -> bytes:
    """Return the message that tells what was found."""
    return pack(
        {"error": "", **_write_check(check)}, [check.fingerprint, check.learnt, check.evidence]
    )


def build_picture(jpeg: bytes) -> bytes:
    """Return the message that holds an annotated picture."""
    return pack({"error": ""}, [jpeg])


def build_error(text: str) -> bytes:
    """Return the message that tells why there is no answer."""
    return pack({"error": text[:LONGEST_WHY]}, [])


def parse_answer(message: Message, order: CheckOrder) -> PictureCheck:
    """Return what a process found; not one field is believed unseen.

    Raises:
        ProtocolViolation: the process says that the frames are no picture.
        Malformed: the process does not say what it should.
    """
    header = _expect_no_error(message)
    if len(message.blobs) != 3:
        msg = "the answer has not its three blobs"
        raise Malformed(msg)
    mark, learnt, evidence = message.blobs
    if max(len(mark), len(learnt)) > MAX_STATE_BYTES:
        msg = "what is to be remembered is too large"
        raise Malformed(msg)
    if evidence:
        _expect_jpeg(evidence, order.evidence_width)
    try:
        check = _read_check(header)
        findings = _hold_against(order, check)
        if check.moved is not None and not order.wants_movement:
            refuse("movement was not asked for", "moved")
    except Invalid as error:
        raise Malformed(str(error)) from error
    return replace(check, findings=findings, fingerprint=mark, learnt=learnt, evidence=evidence)


def parse_picture(message: Message) -> bytes:
    """Return the annotated picture; raises as ``parse_answer`` does."""
    header = _expect_no_error(message)
    if header or len(message.blobs) != 1:
        msg = "the answer is not one picture"
        raise Malformed(msg)
    _expect_jpeg(message.blobs[0], MAX_SIDE)
    return message.blobs[0]


def _expect_no_error(message: Message) -> dict[str, Json]:
    header = dict(message.header)
    error = header.pop("error", None)
    if not isinstance(error, str) or not error.isprintable() or len(error) > LONGEST_WHY:
        msg = "the answer does not tell whether there was an error"
        raise Malformed(msg)
    if error:
        raise ProtocolViolation(error)
    return header


def _expect_jpeg(data: bytes, width: int) -> None:
    try:
        found, _ = parse_jpeg_size(data)
    except ProtocolViolation as error:
        raise Malformed(str(error)) from error
    if len(data) > MAX_EVIDENCE_BYTES or found > width:
        msg = "the answer's picture is too large"
        raise Malformed(msg)


def _write_check(check: PictureCheck) -> dict[str, Json]:
    return {
        "mode": check.mode,
        "width": check.width,
        "height": check.height,
        "moved": check.moved,
        "moving": [list(astuple(one)) for one in check.moving],
        "findings": [
            {
                "index": one.index,
                "score": one.score,
                "threshold": one.threshold,
                "why": one.why,
                "region": None if one.region is None else list(astuple(one.region)),
            }
            for one in check.findings
        ],
    }


def _read_check(raw: Mapping[str, Json]) -> PictureCheck:
    """Read all of a check but its blobs; raises Invalid."""
    fields = Fields(raw)
    mode = fields.choice("mode", Mode)
    width = fields.whole("width", least=1, most=MAX_SIDE)
    height = fields.whole("height", least=1, most=MAX_SIDE)
    listed = fields.take("findings")
    moved, moving = _read_movement(fields)
    fields.done("a check")
    if width * height > MAX_PIXELS:
        refuse(f"a picture has at most {MAX_PIXELS} pixels", "width")
    if not isinstance(listed, list) or len(listed) > len(Index):
        refuse("findings is a list with one object for an index", "findings")
    findings = tuple(_read_finding(one) for one in listed)
    return PictureCheck(
        mode=mode, width=width, height=height, findings=findings, moved=moved, moving=moving
    )


def _read_movement(fields: Fields) -> tuple[float | None, tuple[Region, ...]]:
    share, listed = fields.take("moved"), fields.take("moving")
    if not isinstance(listed, list) or len(listed) > MOST_REGIONS:
        refuse(f"moving is a list of at most {MOST_REGIONS} regions", "moving")
    if share is None and not listed:
        return None, ()
    moved = Fields({"moved": share}).number("moved")
    if not 0.0 <= moved <= 1.0:
        refuse("moved is a share of the picture", "moved")
    return moved, tuple(_read_place(one) for one in listed)


def _read_finding(raw: Json) -> Finding:
    fields = Fields(raw if isinstance(raw, Mapping) else {})
    index = fields.choice("index", Index)
    score = fields.number("score")
    threshold = fields.number("threshold")
    why = fields.take("why")
    region = _read_region(fields.take("region"))
    fields.done("a finding")
    if not 0 <= score <= MAX_SCORE:
        refuse(f"score is a number from 0 to {MAX_SCORE:g}", "score")
    if not isinstance(why, str) or len(why) > LONGEST_WHY or not why.isprintable():
        refuse(f"why is one line of at most {LONGEST_WHY} characters", "why")
    return Finding(index=index, score=score, threshold=threshold, why=why, region=region)


def _read_region(raw: Json) -> Region | None:
    return None if raw is None else _read_place(raw)


def _read_place(raw: Json) -> Region:
    if not isinstance(raw, list) or len(raw) != 4:
        refuse("a region is a list of four shares", "region")
    names = ("left", "top", "right", "bottom")
    fields = Fields(dict(zip(names, raw, strict=True)))
    left, top, right, bottom = (fields.number(name) for name in names)
    if not (0 <= left <= right <= 1 and 0 <= top <= bottom <= 1):
        refuse("a region lies within the picture", "region")
    return Region(left, top, right, bottom)


def _hold_against(order: CheckOrder, check: PictureCheck) -> tuple[Finding, ...]:
    """Return the findings with the thresholds that were sent; raises Invalid."""
    thresholds = order.infrared if check.mode is Mode.INFRARED else order.thresholds
    indices = [one.index for one in check.findings]
    if len(set(indices)) < len(indices):
        refuse("an index is found once", "findings")
    findings: list[Finding] = []
    for one in check.findings:
        threshold = thresholds.get(one.index)
        if threshold is None:
            refuse(f"{one.index} was not to be judged", "findings")
        findings.append(replace(one, threshold=threshold))
    return tuple(findings)


def _read_thresholds(raw: Json) -> Thresholds:
    given = cast("dict[str, float | None]", raw)
    return {Index(name): value for name, value in given.items()}
