"""Options of receivers from outside."""

from typing import Final

import pytest

from alerts.receivers import validate_options
from hub.domain.devices import Json
from hub.domain.errors import Invalid
from hub.domain.notifications import ReceiverKind

MAIL: Final[dict[str, Json]] = {
    "host": "mail.example.org",
    "port": 587,
    "tls": "starttls",
    "username": "hub",
    "sender": "hub@example.org",
    "recipients": ["duty@example.org"],
}


def test_good_options_are_kept_whole() -> None:
    assert validate_options(ReceiverKind.SMTP, MAIL) == {**MAIL, "language": "zh"}
    got = validate_options(ReceiverKind.MQTT, {"topic": "gengfu/alerts/county"})
    assert got == {"topic": "gengfu/alerts/county", "qos": 1, "retain": False}
    address = "https://hooks.example.org/a?b=c"
    assert validate_options(ReceiverKind.WEBHOOK, {"address": address}) == {
        "address": address,
        "format": "gengfu",
    }
    assert validate_options(ReceiverKind.APPRISE, {}) == {"language": "zh"}


@pytest.mark.threat("T13")
@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "gopher://example.org/",
        "rtsp://example.org/",
        "http://exa mple.org/",
        "http://example.org/\r\nHost: x",
        "http://[::1",
        "//example.org",
        "http://user:hunter2@example.org/",
    ],
)
def test_only_plain_web_addresses_pass(address: str) -> None:
    with pytest.raises(Invalid) as caught:
        validate_options(ReceiverKind.WEBHOOK, {"address": address})
    assert caught.value.field == "options.address"
    assert "hunter2" not in str(caught.value)


@pytest.mark.threat("T10")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", "mail.example.org\r\nRSET"),
        ("host", ""),
        ("port", 0),
        ("port", 65536),
        ("username", "hub\r\nMAIL FROM:<x@y>"),
        ("sender", "hub@example.org\r\nBcc: x@example.org"),
        ("sender", "hub@example.org> SIZE=1"),
        ("sender", "hub"),
        ("recipients", []),
        ("recipients", ["a@example.org, b@example.org"]),
        ("recipients", ["a@example.org\n"]),
        ("recipients", ["a@example.org"] * 51),
        ("tls", "none"),
        ("language", "de"),
        ("password", "hunter2"),
    ],
)
def test_nothing_in_mail_options_can_end_a_line(field: str, value: Json) -> None:
    with pytest.raises(Invalid) as caught:
        validate_options(ReceiverKind.SMTP, {**MAIL, field: value})
    assert "hunter2" not in str(caught.value)


@pytest.mark.threat("T30")
@pytest.mark.parametrize(
    "topic",
    [
        "",
        "a/+/b",
        "#",
        "$SYS/x",
        "/a",
        "a/",
        "a//b",
        "a\x00b",
        "a\nb",
        "a\u202eb",
        "x" * 257,
        "gengfu/v1",
        "gengfu/v1/gate/command",
        "Gengfu/V1/gate/reading",
        "homeassistant/switch/x/set",
    ],
)
def test_alerts_cannot_be_published_in_the_name_of_a_device(topic: str) -> None:
    with pytest.raises(Invalid):
        validate_options(ReceiverKind.MQTT, {"topic": topic})
