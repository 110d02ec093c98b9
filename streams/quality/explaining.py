"""The picture that explains a check: what was seen, and beside it every score and why.

Colour never tells anything alone: faults are also said in words.
"""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hub.domain.quality import MAX_SCORE, CheckOrder, Finding, Index, Mode, PictureCheck
from streams.quality.decoding import decode
from streams.quality.judging import encode_jpeg
from streams.quality.masks import paint_over

PICTURE_WIDTH: Final = 760  # pixels; the table is beside it
TABLE_WIDTH: Final = 520
WHY_LINES: Final = 3  # lines of reason under a score, at the most

_MARGIN = 20
_ROW = 26
_LINE = 17
_BAR_AT, _BAR_WIDTH = 170, 180
_SCORE_AT, _LIMIT_AT, _VERDICT_AT = 358, 394, 454

Colour = tuple[int, int, int]
_BACK: Final[Colour] = (30, 26, 24)
_TEXT: Final[Colour] = (236, 234, 232)
_QUIET: Final[Colour] = (172, 166, 160)
_FAULT: Final[Colour] = (92, 92, 255)
_GOOD: Final[Colour] = (130, 190, 120)
_TRACK: Final[Colour] = (70, 62, 58)

_FONT: Final = cv2.FontFace("sans")  # drawn by OpenCV itself; it holds Chinese as well


def explain(order: CheckOrder, check: PictureCheck) -> bytes:
    """Return the judged picture, masked, with its findings beside it, as JPEG.

    Raises:
        ProtocolViolation: the frame is no picture.
    """
    frame = order.frames[0 if order.moved else -1]
    picture = decode(frame).bgr
    paint_over(picture, order.masks)
    rows, columns = picture.shape[:2]
    height = max(1, round(rows * PICTURE_WIDTH / columns))
    picture = np.asarray(
        cv2.resize(picture, (PICTURE_WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8
    )
    table = _draw_table(order, check)
    for finding in check.findings:
        _draw_region(picture, finding)
    whole = np.full((max(height + 56, len(table)), PICTURE_WIDTH + TABLE_WIDTH, 3), _BACK, np.uint8)
    whole[:height, :PICTURE_WIDTH] = picture
    whole[: len(table), PICTURE_WIDTH:] = table
    mode = "infrared" if check.mode is Mode.INFRARED else "in colour"
    taken = frame.taken_at.strftime("%Y-%m-%d %H:%M:%S %Z")
    _write(whole, f"{check.width} x {check.height}, {mode}, {taken}", (_MARGIN, height + 34))
    return encode_jpeg(whole)


def _draw_table(order: CheckOrder, check: PictureCheck) -> NDArray[np.uint8]:
    """Return the table, as high as it needs to be."""
    found = {finding.index: finding for finding in check.findings}
    thresholds = order.infrared if check.mode is Mode.INFRARED else order.thresholds
    most = 2 * _MARGIN + len(Index) * (_ROW + WHY_LINES * _LINE + 8) + 2 * _ROW
    table = np.full((most, TABLE_WIDTH, 3), _BACK, np.uint8)
    y = _MARGIN + 18
    faults = check.faults
    title = f"{len(faults)} fault{'s' * (len(faults) != 1)}" if faults else "No fault found"
    _write(table, title, (_MARGIN, y), size=20, colour=_FAULT if faults else _TEXT, weight=600)
    y += 12
    for index in Index:
        y += _ROW
        finding = found.get(index)
        if finding is None:
            is_off = thresholds.get(index) is None
            _write(table, _name(index), (_MARGIN, y), colour=_QUIET)
            _write(table, "switched off" if is_off else "not judged", (_BAR_AT, y), colour=_QUIET)
            continue
        y = _draw_finding(table, finding, y)
    return table[: y + _MARGIN]


def _draw_finding(table: NDArray[np.uint8], finding: Finding, y: int) -> int:
    """Draw a row and the reason below it; returns where it ends."""
    colour = _FAULT if finding.is_fault else _GOOD
    _write(table, _name(finding.index), (_MARGIN, y), weight=600 if finding.is_fault else 400)
    top, bottom = y - 11, y - 1
    _fill(table, (_BAR_AT, top), (_BAR_AT + _BAR_WIDTH, bottom), _TRACK)
    share = finding.score / MAX_SCORE
    _fill(table, (_BAR_AT, top), (_BAR_AT + round(_BAR_WIDTH * share), bottom), colour)
    if 0 <= finding.threshold <= MAX_SCORE:
        at = _BAR_AT + round(_BAR_WIDTH * finding.threshold / MAX_SCORE)
        _fill(table, (at - 1, top - 3), (at, bottom + 3), _TEXT)
    _write(table, _figure(finding.score), (_SCORE_AT, y))
    _write(table, f"from {_figure(finding.threshold)}", (_LIMIT_AT, y), size=13, colour=_QUIET)
    verdict = "FAULT" if finding.is_fault else "good"
    _write(table, verdict, (_VERDICT_AT, y), colour=colour, weight=600)
    for line in _wrap(finding.why, TABLE_WIDTH - 2 * _MARGIN):
        y += _LINE
        _write(table, line, (_MARGIN, y), size=13, colour=_QUIET)
    return y + 8


def _draw_region(picture: NDArray[np.uint8], finding: Finding) -> None:
    """Frame the part of the picture where a fault is."""
    if finding.region is None or not finding.is_fault:
        return
    height, width = picture.shape[:2]
    left, right = (round(x * (width - 1)) for x in (finding.region.left, finding.region.right))
    top, bottom = (round(y * (height - 1)) for y in (finding.region.top, finding.region.bottom))
    cv2.rectangle(picture, (left, top), (right, bottom), (0, 0, 0), 4)
    cv2.rectangle(picture, (left, top), (right, bottom), _FAULT, 2)
    label = _name(finding.index)
    size = _measure(label, 14) + 12
    at = min(left, max(0, width - size))
    base = top + 22 if top < height - 24 else top
    _fill(picture, (at, base - 20), (at + size, base), _FAULT)
    _write(picture, label, (at + 6, base - 6), size=14, colour=(0, 0, 0), weight=600)


def _figure(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _name(index: Index) -> str:
    return index.value.replace("_", " ")


def _wrap(text: str, width: int) -> Iterator[str]:
    """Yield the lines of a text, WHY_LINES at the most."""
    line, lines = "", 0
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if not line or _measure(longer, 13) <= width:
            line = longer
            continue
        lines += 1
        if lines == WHY_LINES:
            yield f"{line} …"
            return
        yield line
        line = word
    yield line


def _measure(text: str, size: int) -> int:
    """Return how many pixels wide a text is."""
    x, _, width, _ = cv2.getTextSize((4096, 64), text, (0, 0), _FONT, size, 400)
    return int(x + width)


def _fill(
    picture: NDArray[np.uint8], start: tuple[int, int], end: tuple[int, int], colour: Colour
) -> None:
    cv2.rectangle(picture, start, end, colour, cv2.FILLED)


def _write(
    picture: NDArray[np.uint8],
    text: str,
    at: tuple[int, int],
    *,
    size: int = 15,
    colour: Colour = _TEXT,
    weight: int = 400,
) -> None:
    """Write one line; ``at`` is where its baseline begins."""
    cv2.putText(picture, text, at, colour, _FONT, size, weight)
