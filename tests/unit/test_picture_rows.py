"""What is known of a picture goes into jsonb and comes back; what is foreign is left out."""

import json
import math
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.events import StoredEvent
from hub.domain.quality import (
    OPINIONS,
    OPINIONS_ENDED,
    Finding,
    Index,
    PictureFault,
    Region,
)
from hub.store import picture_rows
from hub.store.picture_opinions import Heard, hear

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
SCORES = st.floats(0, 100)
TEXTS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=40)
FINDINGS = st.dictionaries(
    st.sampled_from(Index),
    st.tuples(SCORES, SCORES, TEXTS, st.none() | st.just(Region(0.1, 0.25, 0.5, 1.0))),
)


@settings(max_examples=50, deadline=None)
@given(FINDINGS)
def test_findings_and_faults_are_read_back_in_the_order_of_telling(
    raw: dict[Index, tuple[float, float, str, Region | None]],
) -> None:
    findings = [
        Finding(index=index, score=score, threshold=threshold, why=why, region=region)
        for index, (score, threshold, why, region) in raw.items()
    ]
    text = picture_rows.build_findings(findings)
    ordered = tuple(sorted(findings, key=lambda one: list(Index).index(one.index)))
    assert picture_rows.parse_findings(json.loads(text)) == ordered
    faults = {
        one.index: PictureFault(
            since=NOW, looks=2, score=one.score, threshold=one.threshold, why=one.why
        )
        for one in ordered
    }
    found = picture_rows.parse_faults(json.loads(picture_rows.build_faults(faults)))
    assert list(found.items()) == list(faults.items())


def test_what_no_database_holds_is_put_right() -> None:
    odd = [
        Finding(index=Index.BLUR, score=math.nan, threshold=50.0, why=""),
        Finding(index=Index.DARK, score=math.inf, threshold=50.0, why=""),
        Finding(index=Index.NOISE, score=120.0, threshold=-1.0, why="a\0b \ud800"),
    ]
    (found,) = picture_rows.parse_findings(json.loads(picture_rows.build_findings(odd)))
    assert (found.index, found.score, found.threshold) == (Index.NOISE, 100.0, 0.0)
    assert found.why == "ab ?"


def test_an_index_that_nobody_here_knows_is_left_out() -> None:
    assert picture_rows.parse_findings({"smell": {"score": 1}, "blur": None}) == ()
    assert picture_rows.parse_faults({"smell": {}, "blur": 3}) == {}
    assert picture_rows.parse_numbers({"smell": 1, "blur": 2, "noise": None}) == {Index.BLUR: 2.0}
    assert picture_rows.parse_thresholds({"smell": 1, "blur": 2, "noise": None}) == {
        Index.BLUR: 2.0,
        Index.NOISE: None,
    }


def said(kind: str, minutes: int = 0, device: int | None = 7) -> StoredEvent:
    at = NOW + timedelta(minutes=minutes)
    return StoredEvent(
        id=0, kind=kind, area_id=1, area_path="c", at=NOW, received_at=at, device_id=device
    )


def test_the_last_word_of_a_camera_counts() -> None:
    for begins, index in OPINIONS.items():
        (ends,) = (kind for kind, one in OPINIONS_ENDED.items() if one is index)
        first, last = NOW.isoformat(), (NOW + timedelta(minutes=3)).isoformat()
        assert hear([said(begins)]) == {7: Heard({index: first}, set())}
        assert hear([said(begins), said(ends, 1)]) == {7: Heard({}, {index})}
        again = [said(begins), said(ends, 1), said(begins, 3)]
        assert hear(again) == {7: Heard({index: last}, set())}
    assert hear([said("signal.lost", device=None)]) == {}
    others = [said("motion.started"), said("signal.lost", device=8)]
    assert hear(others) == {8: Heard({Index.SIGNAL: NOW.isoformat()}, set())}
