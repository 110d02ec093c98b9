"""What is known of a picture, as the database holds it: to jsonb and back. No SQL.

What a newer or an older program wrote (an index nobody here knows) is left out, not refused.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.domain.devices import Json
from hub.domain.quality import (
    MAX_SCORE,
    Faults,
    Finding,
    Index,
    Mode,
    PictureFault,
    PictureState,
    Polygon,
    Region,
    Thresholds,
)

_INDICES = {index.value: index for index in Index}


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRow:
    """A row of picture_states; a camera without one has the defaults."""

    device_id: int
    tried_at: datetime | None = None
    checked_at: datetime | None = None
    next_at: datetime | None = None
    mode: str = Mode.COLOUR
    width: int = 0
    height: int = 0
    findings: Mapping[str, Json] = field(default_factory=dict)
    faults: Mapping[str, Json] = field(default_factory=dict)
    suspects: Mapping[str, Json] = field(default_factory=dict)
    mending: Mapping[str, Json] = field(default_factory=dict)
    corrections: Mapping[str, Json] = field(default_factory=dict)
    unseen: str = ""
    good_at: datetime | None = None
    bad_at: datetime | None = None
    fingerprint: bytes = field(default=b"", repr=False)

    def state(self) -> PictureState:
        """The same in the domain's words."""
        return PictureState(
            device_id=self.device_id,
            tried_at=self.tried_at,
            checked_at=self.checked_at,
            next_at=self.next_at,
            mode=Mode(self.mode),
            width=self.width,
            height=self.height,
            findings=parse_findings(self.findings),
            faults=parse_faults(self.faults),
            suspects=parse_faults(self.suspects),
            mending={index: int(float(str(n))) for index, n in _known(self.mending)},
            corrections=parse_numbers(self.corrections),
            unseen=self.unseen,
            good_at=self.good_at,
            bad_at=self.bad_at,
            fingerprint=self.fingerprint,
        )


def build_findings(findings: Iterable[Finding]) -> str:
    """Findings as JSON text; one whose score is no number is left out."""
    return json.dumps(
        {
            one.index.value: {
                "score": clamp(one.score),
                "threshold": clamp(one.threshold),
                "why": plain(one.why),
                "region": None if one.region is None else _corners(one.region),
            }
            for one in findings
            if math.isfinite(one.score) and math.isfinite(one.threshold)
        }
    )


def parse_findings(raw: Mapping[str, Json]) -> tuple[Finding, ...]:
    """Read back what :func:`build_findings` made, in the order in which people are told."""
    found = {index: one for index, one in _known(raw) if isinstance(one, Mapping)}
    return tuple(
        Finding(
            index=index,
            score=float(str(found[index]["score"])),
            threshold=float(str(found[index]["threshold"])),
            why=str(found[index]["why"]),
            region=_region(found[index].get("region")),
        )
        for index in Index
        if index in found
    )


def build_faults(faults: Faults) -> str:
    """Faults or suspects as JSON text."""
    return json.dumps(
        {
            index.value: {
                "since": one.since.isoformat(),
                "looks": one.looks,
                "score": clamp(one.score),
                "threshold": clamp(one.threshold),
                "why": plain(one.why),
                "seen_at": None if one.seen_at is None else one.seen_at.isoformat(),
            }
            for index, one in faults.items()
        }
    )


def parse_faults(raw: Mapping[str, Json]) -> dict[Index, PictureFault]:
    """Read back what :func:`build_faults` made, in the order in which people are told."""
    found = {index: one for index, one in _known(raw) if isinstance(one, Mapping)}
    return {
        index: PictureFault(
            since=datetime.fromisoformat(str(found[index]["since"])),
            looks=int(str(found[index]["looks"])),
            score=float(str(found[index]["score"])),
            threshold=float(str(found[index]["threshold"])),
            why=str(found[index]["why"]),
            seen_at=_moment(found[index].get("seen_at")),
        )
        for index in Index
        if index in found
    }


def build_numbers(numbers: Mapping[Index, float | None]) -> str:
    """Thresholds, corrections or counts as JSON text."""
    return json.dumps({index.value: number for index, number in numbers.items()})


def parse_numbers(raw: Mapping[str, Json]) -> dict[Index, float]:
    """Read numbers by index; what is null is left out."""
    return {index: float(str(number)) for index, number in _known(raw) if number is not None}


def parse_thresholds(raw: Mapping[str, Json]) -> Thresholds:
    """Read thresholds by index."""
    return {index: None if number is None else float(str(number)) for index, number in _known(raw)}


def parse_times(raw: Mapping[str, Json]) -> dict[Index, datetime]:
    """Read times by index."""
    return {index: datetime.fromisoformat(str(at)) for index, at in _known(raw)}


def build_polygons(polygons: Sequence[Polygon]) -> str:
    """Masks as JSON text."""
    return json.dumps([[[x, y] for x, y in polygon] for polygon in polygons])


def parse_polygons(raw: Json) -> tuple[Polygon, ...]:
    """Read masks; none for null."""
    if not isinstance(raw, list):
        return ()
    return tuple(tuple((float(x), float(y)) for x, y in polygon) for polygon in raw)


def clamp(score: float) -> float:
    """A score within its range; a number that is none counts as 0."""
    return min(MAX_SCORE, max(0.0, float(score))) if math.isfinite(score) else 0.0


def plain(text: str) -> str:
    """Return a text that the database can hold."""
    return text.replace("\0", "").encode(errors="replace").decode()


def _known(raw: Mapping[str, Json]) -> list[tuple[Index, Json]]:
    return [(_INDICES[name], value) for name, value in raw.items() if name in _INDICES]


def _moment(raw: Json) -> datetime | None:
    return None if raw is None else datetime.fromisoformat(str(raw))


def _corners(region: Region) -> list[float]:
    return [region.left, region.top, region.right, region.bottom]


def _region(raw: Json) -> Region | None:
    if not isinstance(raw, list):
        return None
    left, top, right, bottom = (float(str(corner)) for corner in raw)
    return Region(left, top, right, bottom)
