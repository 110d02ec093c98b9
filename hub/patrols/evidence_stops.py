"""Whether the stops of a round say what its evidence says. Pure."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from hub.domain.devices import Json
from hub.domain.patrols import PatrolStop, Result, SecondLook, Verdict
from hub.store.evidence_checks import RoundRecord
from hub.store.patrol_evidence import KeptLine
from hub.store.round_ends import NOT_LOOKED_AT
from hub.store.stop_looks import JUDGED, LOOKED

BEGUN: Final = "round_begun"
LOOKED_AGAIN: Final = "stop_looked_again"
SECOND_LOOK: Final = "second_look"


def check_stops(record: RoundRecord) -> str | None:
    """Name the first stop of a round that is not as its lines say."""
    first = record.lines[0] if record.lines else None
    is_whole = first is not None and first.what == BEGUN
    if first is not None and is_whole and body_of(first).get("stops") != len(record.stops):
        return f"it began with {body_of(first).get('stops')} stops and has {len(record.stops)}"
    looks, again = last_lines(record.lines, LOOKED), last_lines(record.lines, LOOKED_AGAIN)
    results = last_lines(record.lines, JUDGED)
    seconds = last_lines(record.lines, SECOND_LOOK)
    for stop in record.stops:
        look, result = looks.get(stop.position), results.get(stop.position)
        if not is_whole and (look is None or result is None):
            continue  # it began before evidence was kept
        differs = (
            _differing_look(stop, look, again.get(stop.position))
            or _differing_result(stop, result)
            or _differing_second(stop, seconds.get(stop.position))
        )
        if differs:
            return f"stop {stop.position} ({stop.device_name}): {differs}"
    return _differing_figures(record)


def _differing_figures(record: RoundRecord) -> str | None:
    """Whether the figures of a round are those of its stops."""
    walk = record.walk
    if walk is None:
        return None
    verdicts = Counter(stop.verdict for stop in record.stops)
    results = Counter(stop.result for stop in record.stops)
    figures = {
        "planned": (walk.stops_planned, len(record.stops)),
        "seen": (walk.stops_seen, verdicts[Verdict.SEEN]),
        "not seen": (walk.stops_not_seen, verdicts[Verdict.NOT_SEEN]),
        "open": (walk.stops_open, results[Result.OPEN]),
        "normal": (walk.stops_normal, results[Result.NORMAL]),
        "abnormal": (walk.stops_abnormal, results[Result.ABNORMAL]),
        "not judged": (walk.stops_not_judged, results[Result.NOT_JUDGED]),
    }
    for name, (said, counted) in figures.items():
        if said != counted:
            return f"it says {said} stops {name}, and {counted} are"
    return None


def _differing_look(stop: PatrolStop, line: KeptLine | None, again: KeptLine | None) -> str:
    if line is None:
        is_plain = stop.verdict is Verdict.PENDING or (
            stop.verdict is Verdict.NOT_SEEN and stop.reason.startswith(NOT_LOOKED_AT)
        )
        return "" if is_plain else "there is no evidence that anybody looked"
    if stop.verdict is Verdict.PENDING:
        if again is not None and again.seq > line.seq:
            return ""
        return f"line {line.seq} says that it was looked at"
    said = body_of(line)
    same: dict[str, Json] = {
        "name": stop.device_name,
        "verdict": stop.verdict.value,
        "reason": stop.reason,
        "layer": stop.layer,
        "detail": stop.detail,
        "remarks": list(stop.remarks),
        "has_picture": stop.has_picture,
        "picture_sha256": stop.picture_sha256,
        "clip_sha256": stop.clip_sha256,
    }
    return _differing(same, said, line)


def _differing_result(stop: PatrolStop, line: KeptLine | None) -> str:
    if line is None:
        return "" if stop.result is Result.OPEN else "there is no evidence of who judged it"
    same: dict[str, Json] = {
        "result": stop.result.value,
        "kind": stop.kind,
        "note": stop.note,
        "timing": stop.timing.value,
        "by": stop.judged_by,
    }
    return _differing(same, body_of(line), line)


def _differing_second(stop: PatrolStop, line: KeptLine | None) -> str:
    if line is not None:
        same: dict[str, Json] = {"look": stop.second_look.value, "note": stop.second_note}
        return _differing(same, body_of(line), line)
    is_taken = stop.second_look in {SecondLook.AGREED, SecondLook.DISAGREED}
    return "there is no evidence of its second look" if is_taken else ""


def _differing(same: Mapping[str, Json], said: Mapping[str, Json], line: KeptLine) -> str:
    for name, value in same.items():
        if said.get(name) != value:
            return f"{name.replace('_', ' ')} is not what line {line.seq} says"
    return ""


def last_lines(lines: Sequence[KeptLine], what: str) -> dict[int, KeptLine]:
    """The last line of a kind at each position."""
    return {
        line.position: line for line in lines if line.what == what and line.position is not None
    }


def body_of(line: KeptLine) -> Mapping[str, Json]:
    """What a line says."""
    raw = json.loads(line.body)
    return raw if isinstance(raw, dict) else {}
