"""Which services may be spoken to, and what their answers mean."""

import io
import json
import os
import socket
import sys
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module

import pytest

from alerts.notify.apprise.notifier import build_request, judge
from alerts.notify.apprise.services import SERVICES, check_addresses, service_of
from alerts.notify.apprise.worker import Guard, Line, Outcome, Refused
from alerts.receivers import validate_secret
from alerts.telling.messages import Wording
from alerts.telling.words import Language
from hub.domain.devices import Json
from hub.domain.errors import Invalid, Rejected, TryAgain
from hub.domain.notifications import ReceiverKind
from tests.unit.alerts_examples import ALERT, MESSAGE_ID, message, notification

NOW = datetime(2026, 11, 22, tzinfo=UTC)
WORDING = Wording(zone=UTC, link_base="https://hub.example.org")
GOOD = (
    "wecombot://693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa",
    "dingtalk://secret@token/13800000000",
    "feishu://bc0d-1f3e-token",
    "tgram://123456789:abcdefg_hijklmnop/12315544/",
    "ntfys://tk_abc@ntfy.example.org:8443/duty?priority=high&format=text",
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general".replace("#", "%23"),
    "matrixs://user:pass@matrix.example.org/!room:matrix.example.org",
    "schan://SCT123abc",
    "barks://api.day.app/devicekey",
)
# Schemes of the library that run, load, read or speak outside HTTP; and ways to smuggle.
BAD = (
    *(
        f"{scheme}://localhost/x"
        for scheme in (
            *("syslog", "rsyslog", "dbus", "qt", "kde", "glib", "gnome", "macosx", "windows"),
            *("file", "json", "jsons", "xml", "form", "apprise", "apprises", "mqtt", "mailto"),
            *("exec", "custom", "irc", "xmpp", "smpp", "growl", "blink1", "http", "https", "foo"),
        )
    ),
    "",
    "wecombot",
    "ntfy://host/topic?template=/etc/passwd",
    "ntfy://host/topic?attach=file:///etc/passwd",
    "tgram://1:a/2/?template=http://169.254.169.254/",
    "ntfys://host/topic?verify=no",
    "ntfys://host/topic?redirect=yes",
    "ntfys://host/topic?store=yes",
    "ntfys://host/topic?a=b;template=x",
    "ntfys://host/topic?%74emplate=x",
    "ntfys://host/topic?Template=x",
    "ntfys://host/topic?+X-Header=x",
    "ntfys://host/topic?a=b?template=x",
    "ntfys://host/topic#?template=x",
    "ntfys://host/a%0d%0aHost:%20x",
    "ntfys://host/a%250a",
    "ntfys://host/a\\b",
    "NTFY://host/x",
    "ntfy:///etc/passwd\x00",
    "ntfys://" + "x" * 2000,
    " ".join(["ntfys://host/x"] * 11),
)


def test_good_addresses_pass_together() -> None:
    check_addresses("\n".join(GOOD))
    validate_secret(ReceiverKind.APPRISE, " ".join(GOOD))
    validate_secret(ReceiverKind.WEBHOOK, "anything is a key")


@pytest.mark.threat("T13")
@pytest.mark.threat("T14")
@pytest.mark.parametrize("address", BAD)
def test_everything_else_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(Invalid) as caught:
        validate_secret(ReceiverKind.APPRISE, f"{GOOD[0]} {address}" if address else "")
    assert caught.value.field == "secret"
    for part in [*address.split("?")[1:], "/etc/passwd", "169.254", "693axxx6"]:
        assert part not in str(caught.value)


def test_the_library_has_every_service_of_the_list() -> None:
    for scheme, service in SERVICES.items():
        plugin = getattr(import_module(f"apprise.plugins.{service.module}"), service.name)
        schemes: set[str] = set()
        for named in (plugin.protocol, plugin.secure_protocol):
            schemes |= {named} if isinstance(named, str) else set(named or ())
        assert scheme in schemes


@pytest.mark.parametrize(
    ("address", "answer", "outcome"),
    [
        (GOOD[0], {"statuses": [200], "body": '{"errcode":0}', "taken": True}, None),
        (GOOD[0], {"statuses": [200], "body": '{"errcode":45009}', "taken": True}, TryAgain),
        (GOOD[0], {"statuses": [200], "body": '{"errcode":93000}', "taken": True}, Rejected),
        (GOOD[0], {"statuses": [200], "body": "<html>", "taken": True}, TryAgain),
        (GOOD[1], {"statuses": [200], "body": '{"errcode":130101}', "taken": True}, TryAgain),
        (GOOD[1], {"statuses": [200], "body": '{"errcode":310000}', "taken": True}, Rejected),
        (GOOD[2], {"statuses": [200], "body": '{"code":19001}', "taken": False}, Rejected),
        (GOOD[2], {"statuses": [200], "body": '{"code":11232}', "taken": False}, TryAgain),
        (GOOD[4], {"statuses": [200], "body": "", "taken": True}, None),
        (GOOD[4], {"statuses": [200], "body": "", "taken": False}, Rejected),
        (GOOD[4], {"statuses": [], "body": "", "taken": False}, TryAgain),
        (GOOD[4], {"statuses": [], "trouble": "tls", "taken": False}, TryAgain),
        (GOOD[4], {"statuses": [], "refusal": "not allowed", "taken": False}, Rejected),
        (GOOD[4], {"statuses": [404, 503], "taken": False}, TryAgain),
        (GOOD[4], {}, TryAgain),
        (GOOD[4], {"statuses": "nonsense"}, TryAgain),
    ],
)
def test_what_answers_mean(
    address: str, answer: dict[str, Json], outcome: type[Exception] | None
) -> None:
    """Some robots answer HTTP 200 to what they do not take: the library calls that success."""
    if outcome is None:
        judge(answer, service_of(address), NOW)
        return
    with pytest.raises(outcome):
        judge(answer, service_of(address), NOW)


@pytest.mark.threat("T7")
def test_names_make_no_mention_and_no_link() -> None:
    name = '<at user_id="all">x</at> @everyone <!channel> [here](http://evil.example) `x`'
    told = message(notification(alert=replace(ALERT, device_name=name, reason=name)))
    for address in GOOD:
        request = build_request(told, address, Language.ZH, WORDING)
        said = f"{request['title']}{request['body']}"
        assert not set("<>@`") & set(said)
        assert "](" not in said


@pytest.mark.parametrize("language", list(Language))
def test_every_text_fits_its_service_and_ends_with_its_id(language: Language) -> None:
    name = "村" * 128
    alerts = [
        replace(ALERT, id=n, device_name=name, area_name=name, rule_name=name, reason=name * 3)
        for n in range(30)
    ]
    long = message(notification(alert=alerts[0], why=name * 3))
    digest = message(*(notification(alert=alert) for alert in alerts), count=500)
    own = replace(long, text=name * 100)
    for scheme, service in SERVICES.items():
        for told in (long, digest, own):
            request = build_request(told, f"{scheme}://x", language, WORDING)
            said = f"{request['title']}{request['body']}"
            assert len(said.encode()) <= service.longest
            assert said.endswith(MESSAGE_ID)


class NoHub(Line):
    """The way to a hub that lets nothing through but one address."""

    def __init__(self) -> None:
        super().__init__(io.StringIO(), io.StringIO())

    def refusal(self, host: str, port: int) -> str:
        return "" if (host, port) == ("192.0.2.1", 443) else "not allowed"


@pytest.mark.threat("T9")
@pytest.mark.threat("T13")
def test_the_process_reads_no_file_writes_none_and_starts_nothing() -> None:
    """Whatever a service tries: the audit events of PEP 578, as Python raises them."""
    guard = Guard(NoHub())
    inet = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    forbidden: list[tuple[str, tuple[object, ...]]] = [
        ("open", ("/etc/passwd", "r", os.O_RDONLY)),
        ("open", (b"/root/.netrc", "r", os.O_RDONLY)),
        ("open", (os.path.join(sys.prefix, "x"), "w", os.O_WRONLY | os.O_CREAT)),  # noqa: PTH118
        ("open", (os.path.join(sys.prefix, "../../../etc/passwd"), "r", os.O_RDONLY)),  # noqa: PTH118
        ("subprocess.Popen", ("/bin/sh", ["sh"], None, None)),
        ("os.system", (b"id",)),
        ("os.exec", ("/bin/sh", [], None)),
        ("socket.bind", (inet, ("0.0.0.0", 0))),
        ("socket.connect", (unix, "/run/docker.sock")),
        ("socket.connect", (inet, ("169.254.169.254", 80))),
        ("socket.connect", (inet, ("192.0.2.1", 80))),
    ]
    for event, args in forbidden:
        guard.outcome = Outcome()
        with pytest.raises(Refused):
            guard(event, args)
        assert guard.outcome.refusal
        with pytest.raises(Rejected):
            judge(guard.outcome.build(is_taken=True), service_of(GOOD[0]), NOW)
    guard.outcome = Outcome()
    guard("open", (json.__file__, "r", os.O_RDONLY))
    guard("open", (3, "w", os.O_WRONLY))
    guard("socket.connect", (inet, ("192.0.2.1", 443)))
    guard("import", ("json", None, None, None, None))
    assert not guard.outcome.refusal
    inet.close()
    unix.close()
