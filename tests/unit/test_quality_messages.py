"""What goes between the hub and a judging process; what comes back is not believed unseen."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.devices import Json
from hub.domain.errors import ProtocolViolation
from hub.domain.quality import (
    CheckOrder,
    Codec,
    Finding,
    Index,
    Mode,
    PictureCheck,
    Region,
)
from streams.quality import messages
from streams.quality.messages import LENGTH_BYTES, Malformed, Message
from tests.encoded_frames import as_frame, build_jpeg, paint_scene

EVIDENCE = build_jpeg(paint_scene(64, 48))
ORDER = CheckOrder(
    frames=(as_frame(b"one"), as_frame(b"two", Codec.H265)),
    thresholds={Index.BLUR: 50.0, Index.DARK: 40.5, Index.CAST: None},
    infrared={Index.BLUR: 60.0, Index.CAST: None},
    band=3,
    previous=b"before",
    baselines={(3, Mode.COLOUR): b"learnt", (0, Mode.INFRARED): b""},
    masks=(((0.0, 0.0), (0.5, 0.0), (0.25, 1.0)),),
    evidence_width=64,
    moved=True,
    wants_learnt=False,
    wants_movement=True,
)
CHECK = PictureCheck(
    mode=Mode.COLOUR,
    width=1920,
    height=1080,
    findings=(
        Finding(
            index=Index.BLUR,
            score=72.5,
            threshold=50.0,
            why="Edges are 6.2 pixels wide, 面糊.",
            region=Region(0.1, 0.2, 0.9, 1.0),
        ),
        Finding(index=Index.DARK, score=0.0, threshold=40.5, why="Mean luma 96 levels."),
    ),
    fingerprint=b"mark",
    learnt=b"more",
    evidence=EVIDENCE,
    moved=0.125,
    moving=(Region(0.25, 0.5, 0.5, 1.0),),
)


def unpack(data: bytes) -> Message:
    length = messages.parse_length(data[:LENGTH_BYTES])
    at = LENGTH_BYTES + length
    header, sizes = messages.parse_header(data[LENGTH_BYTES:at])
    blobs = []
    for size in sizes:
        blobs.append(data[at : at + size])
        at += size
    assert at == len(data)
    return Message(header=header, blobs=blobs)


def spoil(**changes: Json) -> Message:
    """The answer of a process that somebody else has taken over."""
    good = unpack(messages.build_answer(CHECK))
    return Message(header={**good.header, **changes}, blobs=good.blobs)


def spoil_finding(**changes: Json) -> Message:
    findings = cast("list[Mapping[str, Json]]", spoil().header["findings"])
    return spoil(findings=[{**findings[0], **changes}])


def test_order_arrives_as_it_was_sent() -> None:
    assert messages.parse_order(unpack(messages.build_order(ORDER))) == (ORDER, None)


def test_check_to_be_explained_arrives_with_its_order() -> None:
    _, check = messages.parse_order(unpack(messages.build_order(ORDER, CHECK)))
    assert check is not None
    assert check.findings == CHECK.findings


def test_answer_arrives_as_it_was_sent() -> None:
    assert messages.parse_answer(unpack(messages.build_answer(CHECK)), ORDER) == CHECK


def test_movement_that_nobody_asked_for_is_not_believed() -> None:
    order = replace(ORDER, wants_movement=False)
    with pytest.raises(Malformed, match="not asked for"):
        messages.parse_answer(unpack(messages.build_answer(CHECK)), order)


def test_error_is_told_in_its_words() -> None:
    answer = unpack(messages.build_error("the picture is cut off"))
    with pytest.raises(ProtocolViolation, match="the picture is cut off"):
        messages.parse_answer(answer, ORDER)
    with pytest.raises(ProtocolViolation, match="the picture is cut off"):
        messages.parse_picture(answer)


def test_thresholds_are_ours_whatever_comes_back() -> None:
    check = messages.parse_answer(spoil_finding(threshold=99.0), ORDER)
    assert [one.threshold for one in check.findings] == [50.0]
    infrared = messages.parse_answer(
        Message(header={**spoil_finding().header, "mode": "infrared"}, blobs=spoil().blobs), ORDER
    )
    assert [one.threshold for one in infrared.findings] == [60.0]


def test_frame_beyond_the_limit_is_not_sent() -> None:
    frame = as_frame(bytes(messages.MAX_BLOB_BYTES + 1))
    order = CheckOrder(frames=(frame,), thresholds={}, infrared={})
    with pytest.raises(ProtocolViolation, match="exceeds"):
        messages.build_order(order)


@pytest.mark.threat("T27")
@pytest.mark.parametrize(
    "answer",
    [
        spoil(mode="ultraviolet"),
        spoil(width=0),
        spoil(width=2.5),
        spoil(width=True),
        spoil(width=65_535, height=65_535),
        spoil(height=10**30),
        spoil(findings=None),
        spoil(findings=[{}]),
        spoil(findings=["blur"]),
        spoil(findings=[{}] * 1000),
        spoil(findings=cast("list[Json]", spoil().header["findings"]) * 2),
        spoil(error=None),
        spoil(error="a\nb"),
        spoil(error="x" * 100_000),
        spoil(surplus=1),
        spoil(moved=1.5),
        spoil(moved=-0.1),
        spoil(moved=True),
        spoil(moved="all"),
        spoil(moved=None),  # yet it says where
        spoil(moving=None),
        spoil(moving=[None]),
        spoil(moving=[[0.1, 0.2, 0.9, 1.1]]),
        spoil(moving=[[0.1, 0.2, 0.9, 1.0]] * 100),
        spoil_finding(index="colour_cast"),  # was not to be judged
        spoil_finding(index="noise"),
        spoil_finding(index="__class__"),
        spoil_finding(score=-1),
        spoil_finding(score=100.5),
        spoil_finding(score=math.nan),
        spoil_finding(score=math.inf),
        spoil_finding(score="50"),
        spoil_finding(score=True),
        spoil_finding(threshold=None),
        spoil_finding(why=7),
        spoil_finding(why="x" * 401),
        spoil_finding(why="two\nlines"),
        spoil_finding(why="\x1b[31mred"),
        spoil_finding(why="right \u202e to left"),
        spoil_finding(region=[0, 0, 1]),
        spoil_finding(region=[0, 0, 1, 1.5]),
        spoil_finding(region=[0.6, 0, 0.5, 1]),
        spoil_finding(region=[0, 0, math.nan, 1]),
        spoil_finding(region={"left": 0}),
        spoil_finding(surplus=1),
        Message(header=spoil().header, blobs=[]),
        Message(header=spoil().header, blobs=[b"", b"", b"", b""]),
        Message(header=spoil().header, blobs=[bytes(65_537), b"", b""]),
        Message(header=spoil().header, blobs=[b"", bytes(65_537), b""]),
        Message(header=spoil().header, blobs=[b"", b"", b"<script>alert(1)</script>"]),
        Message(header=spoil().header, blobs=[b"", b"", build_jpeg(paint_scene(128, 48))]),
        Message(header={}, blobs=[]),
    ],
)
def test_answer_of_a_process_that_was_taken_over_is_refused(answer: Message) -> None:
    with pytest.raises(Malformed):
        messages.parse_answer(answer, ORDER)


@pytest.mark.parametrize(
    "answer",
    [
        Message(header={"error": ""}, blobs=[]),
        Message(header={"error": ""}, blobs=[b"GIF89a"]),
        Message(header={"error": "", "surplus": 1}, blobs=[EVIDENCE]),
        Message(header={"error": ""}, blobs=[EVIDENCE, EVIDENCE]),
    ],
)
def test_annotated_picture_is_one_jpeg(answer: Message) -> None:
    assert messages.parse_picture(unpack(messages.build_picture(EVIDENCE))) == EVIDENCE
    with pytest.raises(Malformed):
        messages.parse_picture(answer)


@pytest.mark.threat("T27")
@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b"{}",
        b'{"sizes": 1}',
        b'{"sizes": [-1]}',
        b'{"sizes": [1.5]}',
        b'{"sizes": [true]}',
        b'{"sizes": [9000000]}',
        b'{"sizes": [' + b"0," * 100 + b"0]}",
        b'{"sizes": [], "x": ' + b"9" * 10_000 + b"}",
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_header_that_is_none(header: bytes) -> None:
    with pytest.raises(Malformed):
        messages.parse_header(header)


def test_header_is_not_read_beyond_its_limit() -> None:
    with pytest.raises(Malformed):
        messages.parse_length(b"\xff\xff\xff\xff")


json_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["index", "score", "why", "region", "x"]), inner)
    ),
    max_leaves=8,
)


@pytest.mark.threat("K8")
@settings(max_examples=50, deadline=None, database=None)
@given(key=st.sampled_from(["mode", "width", "findings", "error", "sizes"]), value=json_values)
def test_no_answer_crashes_the_hub(key: str, value: object) -> None:
    fields = {**spoil().header, "sizes": [0, 0, 0], key: value}
    try:
        header, _ = messages.parse_header(json.dumps(fields).encode())
        check = messages.parse_answer(Message(header=header, blobs=[b"", b"", b""]), ORDER)
    except (Malformed, ProtocolViolation):
        return
    assert all(0 <= one.score <= 100 for one in check.findings)
