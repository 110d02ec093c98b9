"""Alerts as CAP 1.2.

The structure is checked by the tables below, written after section 3.2 of the standard: the
schema itself is not kept here.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from xml.etree.ElementTree import Element, fromstring

import pytest

from alerts.telling.cap import NAMESPACE, CapPlace, CapScope, CapSource, build_cap, format_time
from hub.domain.alerts import Alert, AlertStep, Step
from hub.domain.events import Severity
from tests.unit.alerts_examples import ALERT, T0

SHANGHAI = timezone(timedelta(hours=8))
SOURCE = CapSource(zone=SHANGHAI, link_base="https://hub.example.org")
PLACE = CapPlace(area_code="330106001002", longitude=120.155070, latitude=30.274085)
TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d\Z")
# In order; "?" at most once, "*" any number, "+" at least once, "" once.
ORDER: Final = {
    "alert": (
        *(("identifier", ""), ("sender", ""), ("sent", ""), ("status", ""), ("msgType", "")),
        *(("source", "?"), ("scope", ""), ("restriction", "?"), ("addresses", "?"), ("code", "*")),
        *(("note", "?"), ("references", "?"), ("incidents", "?"), ("info", "*")),
    ),
    "info": (
        *(("language", "?"), ("category", "+"), ("event", ""), ("responseType", "*")),
        *(("urgency", ""), ("severity", ""), ("certainty", ""), ("audience", "?")),
        *(("eventCode", "*"), ("effective", "?"), ("onset", "?"), ("expires", "?")),
        *(("senderName", "?"), ("headline", "?"), ("description", "?"), ("instruction", "?")),
        *(("web", "?"), ("contact", "?"), ("parameter", "*"), ("resource", "*"), ("area", "*")),
    ),
    "area": (
        *(("areaDesc", ""), ("polygon", "*"), ("circle", "*"), ("geocode", "*")),
        *(("altitude", "?"), ("ceiling", "?")),
    ),
    "eventCode": (("valueName", ""), ("value", "")),
    "parameter": (("valueName", ""), ("value", "")),
    "geocode": (("valueName", ""), ("value", "")),
}
WORDS: Final = {
    "status": {"Actual", "Exercise", "System", "Test", "Draft"},
    "msgType": {"Alert", "Update", "Cancel", "Ack", "Error"},
    "scope": {"Public", "Restricted", "Private"},
    "category": {
        "Geo",
        "Met",
        "Safety",
        "Security",
        "Rescue",
        "Fire",
        "Health",
        "Env",
        "Transport",
        "Infra",
        "CBRNE",
        "Other",
    },
    "responseType": {
        "Shelter",
        "Evacuate",
        "Prepare",
        "Execute",
        "Avoid",
        "Monitor",
        "Assess",
        "AllClear",
        "None",
    },
    "urgency": {"Immediate", "Expected", "Future", "Past", "Unknown"},
    "severity": {"Extreme", "Severe", "Moderate", "Minor", "Unknown"},
    "certainty": {"Observed", "Likely", "Possible", "Unlikely", "Unknown"},
}


def check(element: Element) -> None:
    """Hold an element, and all in it, to the tables."""
    name = local(element)
    assert element.tag == f"{{{NAMESPACE}}}{name}"
    if name in WORDS:
        assert element.text in WORDS[name]
    if name in {"sent", "effective", "onset", "expires"}:
        assert TIME.match(element.text or "")
    if name in {"identifier", "sender"}:
        assert re.fullmatch(r"[^\s,<&]+", element.text or "")
    if name == "circle":
        assert re.fullmatch(r"-?\d+(\.\d+)?,-?\d+(\.\d+)? \d+(\.\d+)?", element.text or "")
    if name not in ORDER:
        assert len(element) == 0
        assert element.text
        return
    names = [local(child) for child in element]
    pattern = "".join(f"(?:{child} ){many}" for child, many in ORDER[name])
    assert re.fullmatch(pattern, "".join(f"{child} " for child in names)), names
    for child in element:
        check(child)


def local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def text(root: Element, path: str) -> str:
    return root.findtext(path, "", {"": NAMESPACE})


def step(number: int, kind: Step, at: datetime = T0) -> AlertStep:
    return AlertStep(id=number, alert_id=42, at=at, actor="li", step=kind, note="")


def build(alert: Alert, *steps: AlertStep, source: CapSource = SOURCE) -> Element:
    root = fromstring(build_cap(alert, steps, PLACE, source))  # noqa: S314 - our own bytes
    check(root)
    return root


def test_the_first_message() -> None:
    root = build(ALERT, step(1, Step.FIRED), step(2, Step.COMMENTED))
    assert text(root, "identifier") == "gengfu.alert.42.1"
    assert text(root, "sender") == "gengfu@hub.example.org"
    assert text(root, "sent") == "2026-11-23T00:30:00+08:00"
    assert (text(root, "status"), text(root, "msgType")) == ("Actual", "Alert")
    assert text(root, "scope") == "Restricted"
    assert text(root, "restriction")
    assert not text(root, "references")
    chinese, english = root.findall("info", {"": NAMESPACE})
    assert (text(chinese, "language"), text(english, "language")) == ("zh-CN", "en-US")
    assert text(chinese, "event") == "设备离线"
    assert text(english, "event") == "device offline"
    levels = [text(english, name) for name in ("category", "urgency", "severity", "certainty")]
    assert levels == ["Infra", "Immediate", "Severe", "Observed"]
    assert text(english, "headline") == "Firing: Camera offline, 村口 1 · 李家村"
    assert text(english, "web") == "https://hub.example.org/alerts/42"
    assert text(english, "area/areaDesc") == "李家村"
    assert text(english, "area/circle") == "30.274085,120.155070 0.05"
    codes = [
        (text(code, "valueName"), text(code, "value"))
        for code in english.findall("area/geocode", {"": NAMESPACE})
    ]
    assert codes == [
        ("GB/T 2260", "330106"),
        ("GB/T 10114", "330106001"),
        ("gengfu:area", "330106001002"),
    ]


def test_later_messages_refer_to_all_before() -> None:
    steps = [
        step(1, Step.FIRED),
        step(2, Step.SILENCED),
        step(3, Step.ACKNOWLEDGED, T0 + timedelta(minutes=1)),
    ]
    update = build(ALERT, *steps)
    assert text(update, "msgType") == "Update"
    assert text(update, "identifier") == "gengfu.alert.42.2"
    first = "gengfu@hub.example.org,gengfu.alert.42.1,2026-11-23T00:30:00+08:00"
    assert text(update, "references") == first
    over = step(4, Step.RESOLVED, T0 + timedelta(hours=1))
    cancel = build(replace(ALERT, resolution="repaired"), *steps, over)
    assert text(cancel, "msgType") == "Cancel"
    second = "gengfu@hub.example.org,gengfu.alert.42.2,2026-11-23T00:31:00+08:00"
    assert text(cancel, "references") == f"{first} {second}"
    assert text(cancel, "info/responseType") == "AllClear"
    assert text(cancel, "info/urgency") == "Past"
    assert text(cancel, "info/description") == "repaired"
    again = build(ALERT, *steps, over, step(5, Step.REOPENED, T0 + timedelta(hours=2)))
    assert text(again, "msgType") == "Update"


def test_an_exercise_is_never_actual() -> None:
    root = build(replace(ALERT, drill_id=3), step(1, Step.FIRED))
    assert text(root, "status") == "Exercise"
    assert "演练" in text(root, "note")
    headlines = [text(info, "headline") for info in root.findall("info", {"": NAMESPACE})]
    assert headlines[0].startswith("【演练】")
    assert headlines[1].startswith("[EXERCISE]")


def test_for_the_public_by_wish() -> None:
    root = build(ALERT, source=replace(SOURCE, scope=CapScope.PUBLIC, sender="hub county, <x>&"))
    assert text(root, "scope") == "Public"
    assert not text(root, "restriction")
    assert text(root, "info/responseType") == "Monitor"
    assert text(root, "sender") == "hubcountyx>"


@pytest.mark.parametrize("severity", list(Severity))
@pytest.mark.parametrize("condition", ["point_beyond", "event_count", "combination", "unheard_of"])
def test_every_kind_has_its_words(condition: str, severity: Severity) -> None:
    alert = replace(
        ALERT, condition=condition, severity=severity, device_name="", device_id=None, is_storm=True
    )
    bare = CapPlace(area_code="west")
    root = fromstring(build_cap(alert, [], bare, CapSource(zone=UTC)))  # noqa: S314 - our own bytes
    check(root)
    assert text(root, "info/area/geocode/value") == "west"
    assert not text(root, "info/area/circle")
    assert text(root, "sender") == "gengfu"


def test_times_have_offsets_and_never_a_z() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
    assert format_time(at, UTC) == "2026-01-02T03:04:05-00:00"
    assert format_time(at, SHANGHAI) == "2026-01-02T11:04:05+08:00"
    newfoundland = timezone(-timedelta(hours=3, minutes=30))
    assert format_time(at, newfoundland) == "2026-01-01T23:34:05-03:30"


@pytest.mark.threat("T7")
@pytest.mark.threat("T21")
@pytest.mark.parametrize(
    "name", ["<!DOCTYPE x>", "]]>&x;", "a\x00b\x0b\ufffe\ud800", "</alert>", '"><x a="']
)
def test_names_are_text_and_nothing_else(name: str) -> None:
    alert = replace(ALERT, device_name=name, area_name=name, rule_name=name, reason=name)
    root = build(alert, step(1, Step.FIRED))
    assert len(root.findall("info", {"": NAMESPACE})) == 2
