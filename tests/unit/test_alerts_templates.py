"""Templates of receivers: what they can do, and that they can do nothing else."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alerts.telling.templates
from alerts.telling.messages import Wording
from alerts.telling.templates import LONGEST_TEMPLATE, check_template, render
from hub.domain.alerts import Step
from hub.domain.errors import Invalid
from hub.domain.notifications import Message
from tests.unit.alerts_examples import ALERT, T0, message, notification, receiver

WORDING = Wording(zone=ZoneInfo("Asia/Shanghai"), link_base="https://hub.example.org/")
CHINESE = """{{ step_name }}:{{ alert.area }} {{ alert.device }}
{{ alert.reason }}{% if alert.deadline != "" %},请于 {{ alert.deadline }} 前处理{% endif %}
{{ alert.link }}"""
ENGLISH = """{% if digest %}{{ count }} alerts
{% for told in notifications %}{{ told.headline }}
{% endfor %}{% if left_out > 0 %}and {{ left_out }} more{% endif %}
{%- else %}{{ subject }}: {{ alert.reason }} {{ alert.link }}{% endif %}"""
IN_ENGLISH = receiver(options={"language": "en"})


def test_a_chinese_template() -> None:
    alert = replace(ALERT, acknowledge_by=T0 + timedelta(minutes=15))
    got = render(CHINESE, message(notification(alert=alert)), WORDING)
    assert not got.failure
    assert got.text.splitlines() == [
        "告警:李家村 村口 1",
        "offline for 30 s,请于 2026-11-23 00:45:00 +0800 前处理",
        "https://hub.example.org/alerts/42",
    ]


def test_an_english_template_of_a_digest() -> None:
    told = (notification(), notification(step=Step.RESOLVED, number=2))
    got = render(ENGLISH, message(*told, to=IN_ENGLISH, count=23), WORDING)
    assert got.text.splitlines() == [
        "23 alerts",
        "[Critical] Firing: Camera offline (device offline), 村口 1 · 李家村",
        "[Critical] Resolved: Camera offline (device offline), 村口 1 · 李家村",
        "and 21 more",
    ]
    single = render(ENGLISH, message(to=IN_ENGLISH), WORDING)
    assert single.text.endswith("offline for 30 s https://hub.example.org/alerts/42")


def test_good_templates_can_be_saved() -> None:
    documented = alerts.telling.templates.__doc__ or ""
    assert all(line in documented for line in (CHINESE + "\n" + ENGLISH).splitlines())
    for template in ("", CHINESE, ENGLISH, "{{ text }}", "{{ alert.point | default: '-' }}"):
        check_template(template)


def test_an_exercise_says_so_whatever_the_template_says() -> None:
    drill = message(notification(alert=replace(ALERT, drill_id=3)))
    assert render("{{ alert.device }}", drill, WORDING).text == "【演练】村口 1"
    assert render("{{ subject }}", drill, WORDING).text.count("演练") == 1


@pytest.mark.threat("T7")
@pytest.mark.threat("T9")
@pytest.mark.parametrize(
    "name", ["{{7*7}}", "{{ alert.id }}", "{% for x in (1..9) %}y{% endfor %}", "{%", "{{"]
)
def test_a_name_is_never_a_template(name: str) -> None:
    alert = replace(ALERT, device_name=name, rule_name=name, area_name=name, reason=name)
    told = message(notification(alert=alert))
    got = render("{{ alert.device }}|{{ alert.reason }}|{{ subject }}", told, WORDING)
    assert got.text.startswith(f"{name}|{name}|")
    assert "49" not in got.text


# Each of these would run code, run for ever, or grow for ever in a language that lets it.
HOSTILE: Final = {
    "endless loop": "{% for a in (1..100000000000) %}{% endfor %}x",
    "nested loops": "{% for a in (1..150) %}{% for b in (1..150) %}{% endfor %}{% endfor %}x",
    "huge output": "{% for a in (1..200) %}" + "y" * 3000 + "{% endfor %}",
    "class": "{{ alert.__class__ }}",
    "class by key": "{{ alert['__class__'].__mro__ }}",
    "arithmetic": "{{ 7*7 }}",
    "call": "{{ alert.keys() }}",
    "unknown filter": "{{ alert.id | append: 'x' }}",
    "file": "{% include '/etc/passwd' %}",
    "render": "{% render 'x' %}",
    "memory": "{% assign x = 1 %}",
    "capture": "{% capture x %}y{% endcapture %}",
    "unknown name": "{{ secret }}",
    "unclosed value": "{{ alert.id",
    "unclosed choice": "{% if x %}",
    "malformed case": "{% case x %}",
    "deep": "{% if true %}" * 200 + "{% endif %}" * 200,
    "backtracking": "{{" * 2000,
    "backtracking blanks": "{{" + " " * 3990 + "x",
    "big range": "{% for a in (1.." + "9" * 3000 + ") %}{% endfor %}",
    "parentheses": "{{ " + "(" * 3900 + " }}",
    "brackets": "{{ a" + "[" * 3900 + " }}",
    "nothing": "{% if false %}x{% endif %}",
    "too long": "x" * (LONGEST_TEMPLATE + 1),
}


@pytest.mark.threat("T9")
@pytest.mark.parametrize("template", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_bad_template_is_refused_when_saved_and_harmless_when_stored(template: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_template(template)
    assert caught.value.field == "template"
    assert str(caught.value)
    assert "\n" not in str(caught.value)
    started = time.process_time()
    got = render(template, message(), WORDING)
    assert not got.text
    assert 0 < len(got.failure) < 300
    assert time.process_time() - started < 5  # bounded, however slow the machine


def test_a_refusal_names_the_line() -> None:
    with pytest.raises(Invalid, match="line 3: unknown filter 'shout'"):
        check_template("{{ subject }}\n\n{{ alert.area | shout }}")


FRAGMENTS: Final = (
    *("{{", "}}", "{%", "%}", "if", "endif", "for", "in", "endfor", "else", "unless", "break"),
    *("alert", ".", "[", "]", "'", '"', "|", ":", "(1..9)", "-", "1", "size", "truncate", "\n"),
    *("alert.id", "notifications", " ", "==", "and", "contains", "\x00", "#", "comment", "raw"),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join))
def test_whatever_is_typed_the_message_survives(template: str) -> None:
    told: Message = message()
    got = render(template, told, WORDING)
    assert bool(got.text) is not bool(got.failure)
