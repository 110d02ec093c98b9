"""What a recorder holds: answers become intervals, intervals become seconds and holes."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.onvif.documents import decode_document, parse_tree
from adapters.onvif.recordings import (
    MAX_HOLES,
    Kept,
    Page,
    Span,
    StateChange,
    Track,
    clip,
    gaps,
    measure_day,
    merge,
    parse_changes,
    parse_count,
    parse_oldest,
    parse_recordings,
    recorded_spans,
    seconds,
    spans_of,
    sum_up,
)

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
DAY = (MIDNIGHT, MIDNIGHT + timedelta(days=1))
DAY_S = 86_400.0
NO_OFFSET = timedelta()


def at(hour: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hour)


def span(begin: float, end: float) -> Span:
    return at(begin), at(end)


def change(
    hour: float,
    *,
    has_data: bool,
    is_start: bool = False,
    track: str = "VIDEO001",
    recording: str = "r",
) -> StateChange:
    return StateChange(
        recording=recording, track=track, at=at(hour), has_data=has_data, is_start=is_start
    )


def kept(*tracks: Track, name: str = "r", source: str = "", held: Span | None = None) -> Kept:
    return Kept(token=name, source=source, tracks=tracks, held=held)


# Seconds from a day before to a day after the day that is measured.
moments = st.integers(-86_400, 2 * 86_400).map(lambda s: MIDNIGHT + timedelta(seconds=s))
spans = st.lists(st.tuples(moments, moments), max_size=12)


@given(spans)
def test_recorded_and_missing_make_a_day(some: list[Span]) -> None:
    held, missing = clip(some, DAY), gaps(some, DAY)
    assert seconds(held) + seconds(missing) == DAY_S
    edges = [edge for one in sorted(held + missing) for edge in one]
    assert edges[0] == DAY[0]
    assert edges[-1] == DAY[1]
    assert edges[1:-1:2] == edges[2:-1:2], "without gap and without overlap"


@given(spans)
def test_merged_spans_are_apart_in_order_and_hold_the_same_moments(some: list[Span]) -> None:
    merged = merge(some)
    assert all(one[0] < one[1] for one in merged)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(merged))
    for moment in {edge for one in some for edge in one}:
        is_in = any(begin <= moment < end for begin, end in some)
        assert is_in == any(begin <= moment < end for begin, end in merged)


@given(spans, spans)
def test_more_recordings_never_make_less(some: list[Span], more: list[Span]) -> None:
    assert seconds(clip(some + more, DAY)) >= seconds(clip(some, DAY))
    assert seconds(clip(some + some, DAY)) == seconds(clip(some, DAY))


@given(
    edges=st.sets(st.integers(0, 86_399), max_size=20),
    begins_with_data=st.booleans(),
    rng=st.randoms(),
)
def test_changes_in_any_order_give_the_seconds_between_them(
    *, edges: set[int], begins_with_data: bool, rng: random.Random
) -> None:
    ordered = sorted(edges)
    has_data, expected = begins_with_data, 0
    changes = [change(0, has_data=has_data, is_start=True)]
    for begin, end in zip([0, *ordered], [*ordered, 86_400], strict=True):
        expected += (end - begin) if has_data else 0
        has_data = not has_data
        if end < 86_400:
            changes.append(change(end / 3600, has_data=has_data))
    rng.shuffle(changes)
    assert seconds(spans_of(changes, DAY)) == pytest.approx(expected, abs=0.01)


@given(spans, spans)
def test_sources_do_not_fill_each_others_holes(one: list[Span], other: list[Span]) -> None:
    found = sum_up({"1": one, "2": other}, DAY)
    assert found.planned_s == 2 * DAY_S
    assert found.recorded_s == seconds(clip(one, DAY)) + seconds(clip(other, DAY))
    both = [hole for hole in merge(gaps(one, DAY) + gaps(other, DAY)) if seconds([hole]) >= 2]
    assert list(found.holes) == both


def test_without_a_start_state_the_first_change_says_what_was_before() -> None:
    assert spans_of([change(6, has_data=False)], DAY) == [span(0, 6)]
    assert spans_of([change(6, has_data=True)], DAY) == [span(6, 24)]
    assert spans_of([change(6, has_data=False, is_start=True)], DAY) == []
    assert spans_of([], DAY) == []


def test_a_start_state_from_the_day_before_counts_from_midnight() -> None:
    changes = [change(-5, has_data=True, is_start=True), change(2, has_data=False)]
    assert spans_of(changes, DAY) == [span(0, 2)]


def test_changes_count_before_the_outer_bounds_of_tracks() -> None:
    video = Track(token="VIDEO001", is_video=True, held=span(-48, 48))
    one = kept(video, held=span(-48, 48))
    assert recorded_spans(one, [], DAY) == [span(-48, 48)]
    assert recorded_spans(one, [change(6, has_data=False)], DAY) == [span(0, 6)]
    whole = [change(7, has_data=False, track="")]
    assert recorded_spans(one, whole, DAY) == [span(0, 7)]
    assert recorded_spans(one, [*whole, change(6, has_data=False)], DAY) == [span(0, 6)]


def test_sound_without_a_picture_is_no_recording() -> None:
    sound = Track(token="t2", is_video=False, held=span(0, 24))
    assert measure_day([kept(sound)], [], DAY) == sum_up({"": []}, DAY)
    heard = [change(0, has_data=True, track="AUDIO001"), change(0, has_data=True, track="t2")]
    assert recorded_spans(kept(sound), heard, DAY) == []


def test_segments_and_sub_streams_of_one_source_fill_each_other() -> None:
    segments = [
        kept(name="a", source="cam", held=span(0, 10)),
        kept(name="b", source="cam", held=span(9, 16)),
        kept(name="c", source="cam", held=span(18, 30)),
    ]
    found = measure_day(segments, [], DAY)
    assert found is not None
    assert (found.recorded_s, found.planned_s) == (22 * 3600, DAY_S)
    assert found.holes == (span(16, 18),)


def test_a_free_channel_of_a_recorder_is_not_planned() -> None:
    used, free = kept(name="a", source="1", held=span(-9, 30)), kept(name="b", source="2")
    found = measure_day([used, free], [], DAY)
    assert found is not None
    assert (found.recorded_s, found.planned_s, found.holes) == (DAY_S, DAY_S, ())


def test_a_recorder_that_never_recorded_is_a_broken_one_and_none_is_none() -> None:
    found = measure_day([kept()], [], DAY)
    assert found is not None
    assert (found.recorded_s, found.planned_s, found.holes) == (0, DAY_S, (DAY,))
    assert measure_day([], [], DAY) is None


def test_the_change_from_file_to_file_is_no_hole_and_holes_are_bounded() -> None:
    second = 1 / 3600
    files = [span(hour, hour + 1 - second) for hour in range(24)]
    found = sum_up({"": files}, DAY)
    assert found.recorded_s == pytest.approx(DAY_S - 24)
    assert found.holes == ()
    crumbs = [span(n / 60, n / 60 + 1 / 120) for n in range(24 * 60)]
    holes = sum_up({"": [*crumbs, span(5, 6)]}, DAY).holes
    assert len(holes) == MAX_HOLES
    assert list(holes) == sorted(holes)


def _parsed(body: str) -> Page[StateChange] | Page[Kept]:
    text = (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:tt="http://www.onvif.org/ver10/schema"'
        ' xmlns:tse="http://www.onvif.org/ver10/search/wsdl"'
        f' xmlns:n="http://docs.oasis-open.org/wsn/b-2"><e:Body>{body}</e:Body></e:Envelope>'
    )
    root = parse_tree(decode_document(text.encode()))
    if "RecordingInformation" in body:
        return parse_recordings(root, timedelta(hours=1))
    return parse_changes(root, timedelta(hours=1))


def _result(
    topic: str = "tns1:RecordingHistory/Track/State",
    time: str = "2026-11-21T07:00:00Z",
    item: str = "IsDataPresent",
    value: str = "true",
) -> str:
    return (
        "<tt:Result><tt:RecordingToken>r</tt:RecordingToken><tt:TrackToken>VIDEO001"
        f"</tt:TrackToken><tt:Time>{time}</tt:Time><tt:Event><n:Topic>\n {topic} </n:Topic>"
        f'<n:Message><tt:Message UtcTime="2020-01-01T00:00:00Z"><tt:Data>'
        f'<tt:SimpleItem Name="{item}" Value="{value}"/></tt:Data></tt:Message></n:Message>'
        "</tt:Event><tt:StartStateEvent>false</tt:StartStateEvent></tt:Result>"
    )


def test_changes_are_read_with_the_cameras_offset_taken_out() -> None:
    page = _parsed(
        "<tse:ResultList><tt:SearchState>Searching</tt:SearchState>"
        + _result()
        + _result(topic="tns1:RecordingHistory/Recording/State", item="IsRecording", value="0")
        + "</tse:ResultList>"
    )
    assert page.items == (
        change(6, has_data=True),
        change(6, has_data=False, track=""),
    )
    assert (page.count, page.is_last) == (2, False)


@pytest.mark.parametrize(
    "odd",
    [
        _result(topic="tns1:VideoSource/MotionAlarm"),
        _result(topic=""),
        _result(time="0000-00-00T00:00:00Z"),
        _result(time="9999-99-99T99:99:99Z"),
        _result(time="1970-01-01T00:00:00Z"),
        _result(time="yesterday"),
        _result(value="maybe"),
        _result(item="IsSomething"),
        "<tt:Result/>",
    ],
)
def test_what_says_nothing_is_left_out_and_counted(odd: str) -> None:
    """Recorders send all their events when they do not understand the filter."""
    page = _parsed(f"<tse:ResultList>{odd}{_result()}</tse:ResultList>")
    assert page.items == (change(6, has_data=True),)
    assert (page.count, page.is_last) == (2, True)


def _recording(dates: tuple[str, str], kind: str = "Video") -> str:
    return (
        "<tse:ResultList><tt:SearchState>Completed</tt:SearchState><tt:RecordingInformation>"
        "<tt:RecordingToken>r</tt:RecordingToken><tt:Source><tt:SourceId>cam</tt:SourceId>"
        f"</tt:Source><tt:EarliestRecording>{dates[0]}</tt:EarliestRecording><tt:LatestRecording>"
        f"{dates[1]}</tt:LatestRecording><tt:Track><tt:TrackToken>t</tt:TrackToken>"
        f"<tt:TrackType>{kind}</tt:TrackType><tt:DataFrom>{dates[0]}</tt:DataFrom>"
        f"<tt:DataTo>{dates[1]}</tt:DataTo></tt:Track></tt:RecordingInformation></tse:ResultList>"
    )


def test_recordings_are_read() -> None:
    page = _parsed(_recording(("2026-11-21T01:00:00Z", "2026-11-21T13:00:00Z")))
    held = span(0, 12)
    track = Track(token="t", is_video=True, held=held)
    assert page.items == (kept(track, source="cam", held=held),)
    assert page.is_last


@pytest.mark.parametrize(
    "dates",
    [
        ("", ""),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("0000-00-00T00:00:00Z", "2026-11-21T13:00:00Z"),
        ("2026-11-21T13:00:00Z", "2026-11-21T01:00:00Z"),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_dates_that_say_nothing_are_no_data(dates: tuple[str, str]) -> None:
    (one,) = _parsed(_recording(dates)).items
    assert isinstance(one, Kept)
    assert not one.has_data


def test_the_summary_tells_the_oldest_and_how_many() -> None:
    def summary(oldest: str, count: str) -> tuple[datetime | None, int | None]:
        root = parse_tree(
            f"<s><DataFrom>{oldest}</DataFrom><NumberRecordings>{count}</NumberRecordings></s>"
        )
        return parse_oldest(root, NO_OFFSET), parse_count(root)

    assert summary("2026-11-21T03:00:00Z", "7") == (at(3), 7)
    assert summary("1970-01-01T00:00:00Z", "0") == (None, 0)
    assert summary("", "-1") == (None, None)
    assert summary("never", "9" * 400) == (None, None)
    early = parse_tree("<s><DataFrom>1999-01-01T00:00:00Z</DataFrom></s>")
    assert parse_oldest(early, timedelta(days=900_000)) is None


texts = st.text(max_size=40) | st.sampled_from(
    ["2026-11-21T07:00:00Z", "9999-12-31T23:59:59-23:59", "true", "Completed", "Track", ""]
)


NAMES = ["Result", "RecordingInformation", "Track", "Time", "Event", "Topic", "Source"]
NAMES += ["SearchState", "DataFrom", "DataTo", "EarliestRecording", "TrackToken"]


@pytest.mark.threat("K8")
@given(
    st.recursive(
        st.builds(lambda text: ("", text), texts),
        lambda inner: st.tuples(
            st.sampled_from(NAMES),
            st.lists(inner, max_size=5),
        ),
        max_leaves=30,
    ),
    st.timedeltas(),
)
def test_any_tree_is_read_without_a_crash(tree: object, offset: timedelta) -> None:
    root = ET.Element("Envelope")
    _grow(root, tree)
    recordings, changes = parse_recordings(root, offset), parse_changes(root, offset)
    found = measure_day(recordings.items, changes.items, DAY)
    assert found is None or 0 <= found.recorded_s <= found.planned_s


def _grow(parent: ET.Element, tree: object) -> None:
    assert isinstance(tree, tuple)
    name, content = tree
    if not name:
        parent.text = content
        return
    element = ET.SubElement(parent, f"{{http://www.onvif.org/ver10/schema}}{name}")
    for one in content:
        _grow(element, one)
