"""The words of a notification."""

import json
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.telling.alertmanager_payload import build_alertmanager
from alerts.telling.messages import Wording, clean, write_subject, write_text
from alerts.telling.payloads import build_payload
from alerts.telling.words import Language
from hub.domain.alerts import Step
from tests.unit.alerts_examples import ALERT, MESSAGE_ID, T0, message, notification

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


LINKED = replace(WORDING, link_base="https://hub.example.org/")
STORM = replace(
    ALERT,
    id=77,
    device_id=None,
    device_name="",
    is_storm=True,
    folded=250,
    acknowledge_by=T0 + timedelta(minutes=15),
)


def test_an_alert_says_why_by_when_and_where_to_look() -> None:
    told = notification(alert=STORM, why='route "night duty"')
    text = write_text(message(told), Language.EN, LINKED)
    assert text.splitlines()[0] == "[Critical] Firing: Camera offline (250 at once), 李家村"
    assert "Stands for: 250" in text
    assert "Due: 2026-11-23 00:45:00 +0800 (green)" in text
    assert 'Told because: route "night duty"' in text
    assert "Link: https://hub.example.org/alerts/77" in text
    late = replace(message(told), created_at=T0 + timedelta(minutes=16))
    assert "处理时限:2026-11-23 00:45:00 +0800(红)" in write_text(late, Language.ZH, LINKED)
    got = json.loads(build_payload(late, LINKED))
    assert got["why"] == 'route "night duty"'
    assert got["alert"]["colour"] == "red"
    assert got["alert"]["deadline"] == "2026-11-22T16:45:00+00:00"
    assert got["alert"]["folded"] == 250
    assert got["alert"]["link"] == "https://hub.example.org/alerts/77"
    assert "http" not in write_text(late, Language.ZH, WORDING)


def test_json_holds_the_link_of_a_picture_and_never_the_picture() -> None:
    link = "https://hub.example.org/api/v1/alerts/42/picture"
    pictured = message(picture=b"jpeg-bytes")
    for build in (build_payload, build_alertmanager):
        assert link in build(pictured, LINKED).decode()
        assert b"/picture" not in build(message(), LINKED)
        assert b"jpeg-bytes" not in build(pictured, LINKED)


@pytest.mark.parametrize("step", list(Step))
def test_every_step_has_words(step: Step) -> None:
    for language in Language:
        subject = write_subject(message(notification(step=step)), language)
        assert f":{step.value}" not in subject.lower().replace(" ", "") or language is Language.EN
        assert "Camera offline" in subject


def test_an_exercise_says_so_first() -> None:
    drill = notification(alert=replace(ALERT, drill_id=3))
    assert write_subject(message(drill), Language.ZH).startswith("【演练】【严重】")
    assert write_text(message(drill), Language.EN, WORDING).startswith("[EXERCISE] [Critical]")
    both = message(drill, drill, count=9)
    assert write_subject(both, Language.ZH).startswith("【演练】")
    mixed = message(drill, notification())
    assert write_subject(mixed, Language.EN).startswith("[PARTLY EXERCISE] ")
    assert write_text(mixed, Language.EN, WORDING).count("[EXERCISE] ") == 1
    assert json.loads(build_payload(message(drill), WORDING))["exercise"] is True
    assert json.loads(build_payload(mixed, WORDING))["exercise"] is False


def test_a_digest_says_how_many_of_what_and_groups_them() -> None:
    """Twenty cameras of one rule in three villages: one heading."""
    told = [
        notification(
            number=n,
            alert=replace(ALERT, id=n + 1, area_id=n % 3, area_name=f"village {n % 3}"),
        )
        for n in range(30)
    ]
    tally = {Step.RESOLVED: 3, Step.FIRED: 30}
    digest = replace(message(*told, count=33), tally=tally)
    subject = write_subject(digest, Language.EN)
    assert subject == "[Critical] 33 alerts: 30 firing, 3 resolved"
    lines = write_text(digest, Language.EN, LINKED).splitlines()
    assert lines[:3] == [subject, "", "Camera offline (20)"]
    assert lines[3] == (
        "- 11-23 00:30:00 | Firing | Critical | village 0 · 村口 1 | why"
        " | https://hub.example.org/alerts/1"
    )
    assert sum(line.startswith("- ") for line in lines) == 20
    assert lines[-1] == "and 13 more, not listed https://hub.example.org"
    by_area = message(told[0], replace(told[0], alert=replace(ALERT, rule_id=8, area_id=0)))
    assert write_text(by_area, Language.ZH, WORDING).splitlines()[2] == "village 0 (2)"
    without = write_subject(message(*told, count=33), Language.EN)
    assert without == "[Critical] 33 alerts: 30 firing, 3 more"


def test_a_digest_in_json_leaves_nothing_out_silently() -> None:
    told = (notification(), notification(step=Step.RESOLVED, number=2))
    got = json.loads(build_payload(message(*told, count=23), LINKED))
    assert (got["type"], got["count"], got["left_out"]) == ("alert.digest", 23, 21)
    assert got["steps"] == {"fired": 1, "resolved": 1}
    assert [one["step"] for one in got["notifications"]] == ["fired", "resolved"]
    assert got["notifications"][1]["alert"]["resolved_by"] == "hub"


def test_the_payload_of_alertmanager() -> None:
    got = json.loads(build_alertmanager(message(notification(alert=STORM)), LINKED))
    assert set(got) == {
        *("version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels"),
        *("commonLabels", "commonAnnotations", "externalURL", "alerts"),
    }
    (alert,) = got["alerts"]
    assert (got["version"], got["status"], got["truncatedAlerts"]) == ("4", "firing", 0)
    assert got["groupLabels"] == {"alert_id": "77"}
    assert got["commonLabels"] == alert["labels"]
    assert alert["labels"]["alertname"] == "Camera offline"
    assert "device" not in alert["labels"]
    assert all(isinstance(value, str) and value for value in alert["labels"].values())
    assert alert["endsAt"] == "0001-01-01T00:00:00Z"
    assert alert["generatorURL"] == "https://hub.example.org/alerts/77"
    assert len(alert["fingerprint"]) == 16
    over = json.loads(
        build_alertmanager(message(notification(step=Step.RESOLVED, alert=STORM)), LINKED)
    )
    assert over["status"] == over["alerts"][0]["status"] == "resolved"
    assert over["alerts"][0]["endsAt"] == T0.isoformat()
    assert over["alerts"][0]["fingerprint"] == alert["fingerprint"]
    assert over["groupKey"] == got["groupKey"]


def test_a_digest_for_alertmanager_has_each_alert_once_as_it_stands() -> None:
    other = replace(ALERT, id=43, device_name="村口 2")
    told = (
        notification(),
        notification(number=2, alert=other),
        notification(number=3, step=Step.RESOLVED),
    )
    got = json.loads(build_alertmanager(message(*told, count=10), LINKED))
    assert [one["status"] for one in got["alerts"]] == ["resolved", "firing"]
    assert (got["status"], got["truncatedAlerts"]) == ("firing", 7)
    assert got["commonLabels"]["area"] == "李家村"
    assert not {"alert_id", "device"} & set(got["commonLabels"])
