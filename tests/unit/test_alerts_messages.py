"""The words of a notification."""

import json
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from alerts.messages import Wording, clean, write_subject, write_text
from alerts.payloads import build_payload
from alerts.words import Language
from hub.domain.alerts import Step
from tests.unit.alerts_examples import ALERT, MESSAGE_ID, message, notification

WORDING = Wording(zone=ZoneInfo("Asia/Shanghai"))
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "{{7*7}}",
    "{% for x in ().__class__.__bases__ %}",
    "${7*7} {0.__class__}",
    "%(secret)s %s %n",
    "a\r\nBcc: everyone@example.org",
    "\u202egnp.exe\u0000\u001b[31m",
    "x" * 10_000,
)


def test_chinese_and_english() -> None:
    zh = write_text(message(), Language.ZH, WORDING)
    assert zh.splitlines()[0] == "【严重】告警:Camera offline(设备离线)村口 1 · 李家村"  # Chinese
    assert "2026-11-23 00:30:00 +0800" in zh
    en = write_subject(message(notification(step=Step.RESOLVED)), Language.EN)
    assert en == "[Critical] Resolved: Camera offline (device offline), 村口 1 · 李家村"


def test_the_payload_says_all_of_it() -> None:
    got = json.loads(build_payload(message(notification(step=Step.RESOLVED)), WORDING))
    assert got["id"] == MESSAGE_ID
    assert got["type"] == "alert.resolved"
    assert got["alert"]["device"] == {"id": 9, "name": "村口 1"}
    assert got["alert"]["event"] == 1234
    assert set(got["text"]) == {"zh", "en"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_values_that_json_does_not_know_become_null(value: float) -> None:
    payload = build_payload(message(notification(alert=replace(ALERT, value=value))), WORDING)
    assert json.loads(payload)["alert"]["value"] is None


@pytest.mark.threat("T7")
@pytest.mark.threat("T9")
@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_devices_are_inert(name: str) -> None:
    alert = replace(
        ALERT,
        device_name=name,
        rule_name=name,
        area_name=name,
        point=name,
        unit=name,
        value=1.0,
        reason=name,
        channel=name,
    )
    hostile = message(notification(alert=alert))
    plain_lines = len(
        write_text(
            message(notification(alert=replace(ALERT, channel="c", point="p", value=1.0))),
            Language.EN,
            WORDING,
        ).splitlines()
    )
    for language in Language:
        subject = write_subject(hostile, language)
        assert subject.isprintable()
        assert len(subject) < 600
        text = write_text(hostile, language, WORDING)
        assert len(text.splitlines()) == plain_lines
        assert "49" not in text
    payload = build_payload(hostile, WORDING)
    assert not set(b"<>&\r\n\x00\x1b") & set(payload)
    # Nothing is interpreted and nothing lost: whoever reads it gets the name as it was.
    assert json.loads(payload)["alert"]["device"]["name"] == clean(name)


def test_a_long_name_is_cut_with_a_mark() -> None:
    assert clean("x" * 200) == "x" * 127 + "…"
