"""What a recorder holds (ONVIF Recording Search Service, Profile G): parsers and arithmetic. Pure.

Recorders tell a day in two ways: by changes of state (``RecordingHistory/Track/State``), which
show every hole, or only by when the first and the last data of a track are. Several recordings
of one source (segments, main and sub stream) fill each other's holes; several sources (the
channels of an NVR) do not.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar
from xml.etree import ElementTree as ET

from adapters.onvif.clocks import parse_time
from adapters.onvif.documents import find_local, local_name, text_of
from hub.domain.health import Recording

T = TypeVar("T")
Span = tuple[datetime, datetime]

MAX_HOLES = 100
MIN_HOLE_S = 2.0  # shorter ones are the change from one file to the next; they still count
MAX_TOKEN = 128
_NEVER = datetime(1971, 1, 1, tzinfo=UTC)  # "1970-01-01" stands for "nothing yet"
_UNDERWAY = frozenset({"queued", "searching"})
_NOT_VIDEO = ("aud", "met", "ext")
_TOPICS = {"RecordingHistory/Track/State": "IsDataPresent",
           "RecordingHistory/Recording/State": "IsRecording"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One track of a recording; ``held`` is from its first data to its last."""

    token: str
    is_video: bool
    held: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One recording as the recorder lists it. ``source`` is what it was recorded from."""

    token: str
    source: str = ""
    held: Span | None = None
    tracks: tuple[Track, ...] = ()

    @property
    def has_data(self) -> bool:
        """Whether anything was ever recorded into it."""
        return self.held is not None or any(track.held for track in self.tracks)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """Data begins or ends; an empty track means the whole recording.

    ``is_start``: it is no change but the state in which the time asked about begins.
    """

    recording: str
    track: str
    at: datetime
    has_data: bool
    is_start: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One answer of a search. ``count`` is what it held, with what nobody could use."""

    items: tuple[T, ...]
    count: int
    is_last: bool


def parse_oldest(root: ET.Element, offset: timedelta) -> datetime | None:
    """Return the time of the oldest data in a GetRecordingSummaryResponse; None: there is none.

    ``offset``, here and below, is the camera's clock minus ours; it is taken out.
    """
    return _time(root, "DataFrom", offset)


def parse_count(root: ET.Element) -> int | None:
    """Return how many recordings a GetRecordingSummaryResponse tells of."""
    text = text_of(find_local(root, "NumberRecordings"))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def parse_recordings(root: ET.Element, offset: timedelta) -> Page[Kept]:
    """Read a GetRecordingSearchResultsResponse."""
    elements = [one for one in root.iter() if local_name(one.tag) == "RecordingInformation"]
    found = (_recording(one, offset) for one in elements)
    items = tuple(one for one in found if one.token)
    return Page(items=items, count=len(elements), is_last=_is_last(root))


def parse_changes(root: ET.Element, offset: timedelta) -> Page[StateChange]:
    """Read a GetEventSearchResultsResponse; other events than changes of state are left out."""
    elements = [one for one in root.iter() if local_name(one.tag) == "Result"]
    found = (_change(one, offset) for one in elements)
    items = tuple(one for one in found if one is not None)
    return Page(items=items, count=len(elements), is_last=_is_last(root))


def measure_day(
    recordings: Sequence[Kept], changes: Iterable[StateChange], day: Span
) -> Recording | None:
    """Return what a recorder holds of a day; None when it has no recordings at all.

    Sources into which nothing was ever recorded are not planned (free channels of an NVR),
    unless there is no other: a recorder that never recorded is a broken one.
    """
    by_recording: dict[str, list[StateChange]] = defaultdict(list)
    for change in changes:
        by_recording[change.recording].append(change)
    sources: dict[str, list[Span]] = {}
    planned = [one for one in recordings if one.has_data] or list(recordings)
    for one in planned:
        spans = recorded_spans(one, by_recording[one.token], day)
        sources.setdefault(one.source, []).extend(spans)
    return sum_up(sources, day) if sources else None


def recorded_spans(recording: Kept, changes: Sequence[StateChange], day: Span) -> list[Span]:
    """Return when a recording has a picture: by changes of state, else by its outer bounds."""
    kinds = {track.token: track.is_video for track in recording.tracks}
    by_track: dict[str, list[StateChange]] = defaultdict(list)
    for change in changes:
        is_video = kinds.get(change.track, not change.track.lower().startswith(_NOT_VIDEO))
        if is_video:
            by_track[change.track].append(change)
    whole = by_track.pop("", [])
    if by_track:
        return [span for told in by_track.values() for span in spans_of(told, day)]
    if whole:
        return spans_of(whole, day)
    video = [track.held for track in recording.tracks if track.is_video and track.held]
    return video or ([recording.held] if recording.held else [])


def spans_of(changes: Iterable[StateChange], day: Span) -> list[Span]:
    """Return when there was data, from the changes of one track in any order.

    Before its first change a track was in the other state; after its last it stays in that.
    """
    ordered = sorted(changes, key=lambda change: (change.at, not change.is_start))
    if not ordered:
        return []
    first = ordered[0]
    has_data = first.has_data if first.is_start else not first.has_data
    spans, since = [], day[0]
    for change in ordered:
        at = min(max(change.at, day[0]), day[1])
        if has_data:
            spans.append((since, at))
        has_data, since = change.has_data, at
    if has_data:
        spans.append((since, day[1]))
    return merge(spans)


def merge(spans: Iterable[Span]) -> list[Span]:
    """Return the same time as spans that neither overlap nor touch, in order, none empty."""
    merged: list[Span] = []
    for begin, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def clip(spans: Iterable[Span], day: Span) -> list[Span]:
    """Return the part of the spans that lies within a day, merged."""
    return merge((max(begin, day[0]), min(end, day[1])) for begin, end in spans)


def gaps(spans: Iterable[Span], day: Span) -> list[Span]:
    """Return the rest of a day."""
    edges = [day[0]]
    for begin, end in clip(spans, day):
        edges += [begin, end]
    edges.append(day[1])
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(begin, end) for begin, end in pairs if begin < end]


def sum_up(sources: Mapping[str, Sequence[Span]], day: Span) -> Recording:
    """Return the seconds of all sources, and the holes in which one of them or more is missing."""
    recorded_s = sum(seconds(clip(spans, day)) for spans in sources.values())
    missing = merge(hole for spans in sources.values() for hole in gaps(spans, day))
    long = [hole for hole in missing if seconds([hole]) >= MIN_HOLE_S]
    longest = sorted(long, key=lambda hole: hole[0] - hole[1])[:MAX_HOLES]
    return Recording(
        recorded_s=recorded_s,
        planned_s=seconds([day]) * len(sources),
        holes=tuple(sorted(longest)),
    )


def seconds(spans: Iterable[Span]) -> float:
    """Return how long spans are together."""
    return sum((end - begin).total_seconds() for begin, end in spans)


def _recording(element: ET.Element, offset: timedelta) -> Kept:
    tracks = tuple(_track(one, offset) for one in element if local_name(one.tag) == "Track")
    source = find_local(element, "Source")
    return Kept(
        token=_token(element, "RecordingToken"),
        source="" if source is None else _token(source, "SourceId"),
        held=_held(element, ("EarliestRecording", "LatestRecording"), offset),
        tracks=tracks,
    )


def _track(element: ET.Element, offset: timedelta) -> Track:
    token, kind = _token(element, "TrackToken"), text_of(find_local(element, "TrackType"))
    return Track(
        token=token,
        is_video=(kind or token or "video").lower()[:3] not in _NOT_VIDEO,
        held=_held(element, ("DataFrom", "DataTo"), offset),
    )


def _change(element: ET.Element, offset: timedelta) -> StateChange | None:
    topic = text_of(find_local(element, "Topic"))
    plain = "/".join(part.rpartition(":")[2].strip() for part in topic.split("/"))
    item = _TOPICS.get(plain)
    at = _time(element, "Time", offset)
    value = _item(element, item) if item else ""
    if at is None or value not in {"true", "false", "1", "0"}:
        return None
    return StateChange(
        recording=_token(element, "RecordingToken"),
        track=_token(element, "TrackToken") if item == "IsDataPresent" else "",
        at=at,
        has_data=value in {"true", "1"},
        is_start=text_of(find_local(element, "StartStateEvent")).lower() in {"true", "1"},
    )


def _item(element: ET.Element, name: str) -> str:
    """Return the value of a simple item, in lower case; empty when it is missing."""
    for one in element.iter():
        if local_name(one.tag) == "SimpleItem" and one.get("Name") == name:
            return one.get("Value", "").strip().lower()
    return ""


def _token(element: ET.Element, name: str) -> str:
    return text_of(find_local(element, name))[:MAX_TOKEN]


def _held(element: ET.Element, names: tuple[str, str], offset: timedelta) -> Span | None:
    begin, end = (_time(element, name, offset) for name in names)
    return (begin, end) if begin is not None and end is not None and begin < end else None


def _time(element: ET.Element, name: str, offset: timedelta) -> datetime | None:
    """Return a time by our clock; None when it says nothing."""
    at = parse_time(text_of(find_local(element, name)))
    if at is None or at < _NEVER:
        return None
    try:
        return at - offset
    except OverflowError:
        return None


def _is_last(root: ET.Element) -> bool:
    return text_of(find_local(root, "SearchState")).lower() not in _UNDERWAY
