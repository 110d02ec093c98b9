"""Whatever is changed, taken out or added: the first thing that is not whole is named."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.devices import Json
from hub.domain.patrols import (
    PatrolRound,
    PatrolStop,
    Result,
    RoundState,
    SecondLook,
    Timing,
    Verdict,
)
from hub.patrols.evidence import (
    Known,
    check_files,
    check_lines,
    check_record,
    check_seals,
    expected_files,
)
from hub.patrols.files import PictureFolder
from hub.store.evidence_checks import RoundRecord
from hub.store.patrol_evidence import NOTHING_BEFORE, KeptLine, Seal, hash_line, hash_seal
from hub.store.round_ends import NOT_LOOKED_AT

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
PICTURE = b"a picture"
SHA = hashlib.sha256(PICTURE).hexdigest()
Said = tuple[str, int | None, Mapping[str, Json]]

LOOK: Mapping[str, Json] = {
    "name": "村口",
    "verdict": "seen",
    "reason": "",
    "layer": "",
    "detail": "",
    "remarks": [],
    "has_picture": True,
    "picture_sha256": SHA,
    "clip_sha256": "",
}
JUDGED: Mapping[str, Json] = {
    "result": "normal",
    "kind": "",
    "note": "",
    "timing": "on_time",
    "by": "hub.patrols",
}
SAID: tuple[Said, ...] = (
    ("round_begun", None, {"stops": 1}),
    ("stop_looked", 1, LOOK),
    ("stop_judged", 1, JUDGED),
    ("round_ended", None, {}),
)
STOP = PatrolStop(
    round_id=7,
    position=1,
    device_id=1,
    device_name="村口",
    area_name="安平村",
    verdict=Verdict.SEEN,
    has_picture=True,
    picture_sha256=SHA,
    result=Result.NORMAL,
    judged_by="hub.patrols",
    timing=Timing.ON_TIME,
)
WALK = PatrolRound(
    id=7,
    plan_id=1,
    plan_name="零点夜查",
    area_id=1,
    area_path="c",
    area_name="某县",
    time_zone="Asia/Shanghai",
    window_s=600,
    seconds_per_stop=5.0,
    planned_at=NOW,
    state=RoundState.FINISHED,
    stops_planned=1,
    stops_seen=1,
    stops_normal=1,
)


def chain(*said: Said) -> list[KeptLine]:
    lines: list[KeptLine] = []
    prev = NOTHING_BEFORE
    for seq, (what, position, body) in enumerate(said, start=1):
        line = KeptLine(
            round_id=7,
            seq=seq,
            position=position,
            what=what,
            at=NOW + timedelta(seconds=seq),
            body=json.dumps(body, ensure_ascii=False, sort_keys=True),
            prev=prev,
            hash=b"",
        )
        prev = hash_line(line)
        lines.append(replace(line, hash=prev))
    return lines


def sealed(*ends: tuple[int, int, bytes]) -> list[Seal]:
    seals: list[Seal] = []
    prev = NOTHING_BEFORE
    for seq, (round_id, count, head) in enumerate(ends, start=1):
        seal = Seal(seq=seq, round_id=round_id, lines=count, head=head, at=NOW, prev=prev, hash=b"")
        prev = hash_seal(seal)
        seals.append(replace(seal, hash=prev))
    return seals


def record(*said: Said) -> RoundRecord:
    lines = chain(*(said or SAID))
    return RoundRecord(
        round_id=7,
        walk=WALK,
        stops=[STOP],
        lines=lines,
        seals=sealed((7, len(lines), lines[-1].hash)),
    )


def test_what_is_whole_is_whole() -> None:
    assert check_record(record()) is None
    again: Said = ("stop_looked_again", 1, {})
    other: Said = ("stop_looked", 1, {**LOOK, "picture_sha256": "0" * 64})
    assert check_record(record(SAID[0], other, again, *SAID[1:])) is None
    asked = record(*SAID[:2], again)
    waiting = replace(STOP, verdict=Verdict.PENDING, result=Result.OPEN)
    walk = replace(WALK, state=RoundState.RUNNING, stops_seen=0, stops_normal=0, stops_open=1)
    assert check_record(replace(asked, walk=walk, stops=[waiting])) is None
    running = replace(record(), walk=replace(WALK, state=RoundState.RUNNING), seals=[])
    assert check_record(running) is None


@settings(max_examples=40, deadline=None)
@given(
    number=st.integers(0, len(SAID) - 1),
    change=st.sampled_from(["body", "what", "at", "position", "hash", "prev", "taken out"]),
)
def test_any_changed_line_is_named(number: int, change: str) -> None:
    lines = chain(*SAID)
    line = lines[number]
    match change:
        case "taken out":
            del lines[number]
        case "at":
            lines[number] = replace(line, at=line.at + timedelta(microseconds=1))
        case "position":
            lines[number] = replace(line, position=2)
        case "hash" | "prev":
            lines[number] = (
                replace(line, hash=bytes(32)) if change == "hash" else replace(line, prev=b"1" * 32)
            )
        case _:
            lines[number] = (
                replace(line, body='{"x":1}')
                if change == "body"
                else replace(line, what="stop_seen")
            )
    fault = check_lines(lines)
    if change == "taken out" and number == len(SAID) - 1:
        assert fault is None  # only the seal knows
        assert check_record(replace(record(), lines=lines)) == "line 4 is missing: 4 were sealed"
    else:
        assert fault is not None
        assert fault.startswith(f"line {number + 1} ")


def test_a_chain_made_anew_is_not_the_one_that_was_sealed() -> None:
    forged = chain(*SAID[:2], ("stop_judged", 1, {**JUDGED, "result": "abnormal"}), SAID[3])
    assert check_lines(forged) is None
    fault = check_record(replace(record(), lines=forged))
    assert fault == "line 4 is not the one that was sealed (seal 1)"
    longer = chain(*SAID, ("report.signed", None, {}))
    assert check_record(replace(record(), lines=longer)) == "line 5 is not sealed"
    assert check_record(replace(record(), lines=[], seals=[])) == "nothing of it was kept"
    assert check_record(replace(record(), walk=None)) == "the round is gone, its evidence is here"


def test_the_chain_of_all_rounds_names_the_seal() -> None:
    seals = sealed((1, 3, b"a" * 32), (2, 5, b"b" * 32), (1, 4, b"c" * 32))
    assert check_seals(seals) is None
    assert check_seals([seals[0], seals[2]]) == "seal 2 is missing"
    assert check_seals([seals[0], replace(seals[1], lines=4), seals[2]]) == (
        "seal 2 (round 2) was changed"
    )
    noted = Known(seq=2, hash=seals[1].hash.hex())
    assert check_seals(seals, noted) is None
    # Whoever makes everything anew, or cuts off the end, has not what was noted.
    anew = sealed((1, 3, b"a" * 32), (2, 5, b"x" * 32))
    assert check_seals(anew) is None
    assert check_seals(anew, noted) == "seal 2 (round 2) is not the one that was noted"
    assert check_seals(seals[:1], noted) == "seal 2, which was noted, is missing: there are 1"


@pytest.mark.parametrize(
    ("stop", "fault"),
    [
        (replace(STOP, result=Result.ABNORMAL), "result is not what line 3 says"),
        (replace(STOP, note="made up"), "note is not what line 3 says"),
        (replace(STOP, judged_by="li"), "by is not what line 3 says"),
        (replace(STOP, timing=Timing.LATE), "timing is not what line 3 says"),
        (replace(STOP, remarks=("x",)), "remarks is not what line 2 says"),
        (replace(STOP, picture_sha256="0" * 64), "picture sha256 is not what line 2 says"),
        (replace(STOP, verdict=Verdict.PENDING), "line 2 says that it was looked at"),
        (replace(STOP, second_look=SecondLook.AGREED), "there is no evidence of its second look"),
        (replace(STOP, position=2), "there is no evidence that anybody looked"),
    ],
)
def test_a_stop_that_says_something_else_is_named(stop: PatrolStop, fault: str) -> None:
    name = f"stop {stop.position} (村口): {fault}"
    assert check_record(replace(record(), stops=[stop])) == name


def test_stops_that_are_missing_or_were_never_looked_at() -> None:
    assert check_record(replace(record(), stops=[])) == "it began with 1 stops and has 0"
    unseen = replace(
        STOP, verdict=Verdict.NOT_SEEN, reason=f"{NOT_LOOKED_AT}: 已取消 Cancelled by li",
        has_picture=False, picture_sha256="",
    )  # fmt: skip
    plain = record(SAID[0], *SAID[2:])
    walk = replace(WALK, stops_seen=0, stops_not_seen=1)
    assert check_record(replace(plain, walk=walk, stops=[unseen])) is None
    assert check_record(replace(plain, stops=[unseen])) == "it says 1 stops seen, and 0 are"
    made_up = replace(unseen, reason="camera cannot be reached")
    assert check_record(replace(plain, stops=[made_up])) is not None
    unjudged = replace(record(*SAID[:2], SAID[3]), stops=[STOP])
    assert check_record(unjudged) == "stop 1 (村口): there is no evidence of who judged it"


def test_a_round_that_began_before_evidence_was_kept_is_checked_as_far_as_it_goes() -> None:
    late = record(*SAID[1:])
    old = replace(STOP, position=2, picture_sha256="")
    walk = replace(WALK, stops_planned=2, stops_seen=2, stops_normal=2)
    assert check_record(replace(late, walk=walk, stops=[STOP, old])) is None
    assert check_record(replace(late, walk=walk, stops=[replace(STOP, note="x"), old])) is not None


def test_pictures_are_proved_by_their_hash(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path)
    files = list(expected_files(record(), folder))
    assert [(name, digest) for name, _, digest in files] == [("picture of stop 1 (村口)", SHA)]
    assert check_files(files) == "picture of stop 1 (村口) is not in this data folder"
    path = folder.picture_path(7, 1)
    path.parent.mkdir(parents=True)
    path.write_bytes(PICTURE)
    assert check_files(files) is None
    path.write_bytes(PICTURE + b"\0")
    assert check_files(files) == "picture of stop 1 (村口) is not the one that was taken"
    path.unlink()
    path.mkdir()
    assert check_files(files) == "picture of stop 1 (村口) cannot be read: Is a directory"


def test_a_signed_report_says_what_it_said_when_it_was_signed() -> None:
    signed: Said = ("report_signed", None, {"figures_sha256": SHA})
    assert check_record(replace(record(*SAID, signed), report_sha256=SHA)) is None
    fault = check_record(replace(record(*SAID, signed), report_sha256="0" * 64))
    assert fault == "its report is not the one that line 5 says was signed"
    # Nobody signed it: it may be made anew.
    assert check_record(replace(record(), report_sha256="0" * 64)) is None
