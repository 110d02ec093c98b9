"""The simulated camera's SOAP: what is parsed, what is refused, who may call, odd numbers."""

import base64
import hashlib
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree  # type: ignore[import-untyped]  # ships no types

from hub.domain.secrets import Credentials, Secret
from hub.simulators.camera_state import CameraOptions, CameraState
from hub.simulators.digest import Gate
from hub.simulators.onvif_security import TOKEN_LIFE, Unauthorised, check_caller, token_problem
from hub.simulators.pull_points import LONGEST_LIFE_S, PullPoints, parse_duration
from hub.simulators.soap import (
    MAX_DEPTH,
    BadSoap,
    Request,
    SoapFault,
    build_envelope,
    build_fault,
    el,
    parse_request,
)

NOW = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
PASSWORD = "camera-password"
LOGIN = Credentials(username="admin", password=Secret(PASSWORD))
SOAP = "http://www.w3.org/2003/05/soap-envelope"


def envelope(body: str, *, before: str = "", header: str = "") -> bytes:
    inner = f"<e:Header>{header}</e:Header><e:Body>{body}</e:Body>"
    return f'{before}<e:Envelope xmlns:e="{SOAP}">{inner}</e:Envelope>'.encode()


def test_collects_texts_and_attributes_by_path_and_keeps_the_first() -> None:
    body = (
        '<m:GetStreamUri xmlns:m="http://www.onvif.org/ver10/media/wsdl"><!-- note -->'
        "<m:StreamSetup><Transport><Protocol> RTSP </Protocol></Transport></m:StreamSetup>"
        '<m:ProfileToken kind="a">main</m:ProfileToken>'
        '<m:ProfileToken kind="b">sub</m:ProfileToken>'
        "</m:GetStreamUri>"
    )
    header = '<Security><UsernameToken><Password Type="#D">x</Password></UsernameToken></Security>'
    request = parse_request(envelope(body, header=header))
    assert request.action == "trt:GetStreamUri"
    assert request.values["StreamSetup/Transport/Protocol"] == "RTSP"
    assert request.values["ProfileToken"] == "main"
    assert request.values["ProfileToken@kind"] == "a"
    assert request.header["UsernameToken/Password"] == "x"
    assert request.header["UsernameToken/Password@Type"] == "#D"


@pytest.mark.threat("T21")
@pytest.mark.parametrize(
    "data",
    [
        envelope("<x/>", before="<!DOCTYPE x>"),
        envelope("<x>&f;</x>", before='<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'),
        envelope("<x/>", before='<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">'),
        envelope("<x>&f;</x>"),
        envelope("<x>" * (MAX_DEPTH + 2) + "</x>" * (MAX_DEPTH + 2)),
        envelope(""),
        b"<e/>",
        b"",
        b"\xff\xfe<",
        envelope("<x>") + b"</x>",
        b'<?xml version="1.0" encoding="no-such"?><e/>',
    ],
)
def test_refuses_what_is_no_plain_envelope(data: bytes) -> None:
    with pytest.raises(BadSoap):
        parse_request(data)


def test_an_unknown_namespace_is_no_operation_of_ours() -> None:
    assert parse_request(envelope('<Reboot xmlns="urn:x"/>')).action == "?:Reboot"


def test_what_it_builds_is_xml_whatever_the_texts_hold() -> None:
    nasty = "<img onerror='x'>&\"]]>"
    built = build_envelope(el("tds:Name", nasty, attributes={"a": nasty}))
    (name,) = etree.fromstring(built).iter("{http://www.onvif.org/ver10/device/wsdl}Name")
    assert (name.text, name.get("a")) == (nasty, nasty)
    fault = build_fault(SoapFault(subcodes=("ter:NotAuthorized", "ter:More"), reason=nasty))
    tree = etree.fromstring(fault)
    assert tree.findtext(f".//{{{SOAP}}}Text") == nasty
    values = [one.text for one in tree.iter(f"{{{SOAP}}}Value")]
    assert values == ["env:Sender", "ter:NotAuthorized", "ter:More"]


def token(*, made_at: datetime = NOW, password: str = PASSWORD, **changes: str) -> dict[str, str]:
    """What a right client sends; ``changes`` replace parts of it."""
    nonce, created = b"0123456789abcdef", made_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    secret = nonce + created.encode() + password.encode()
    digest = hashlib.sha1(secret, usedforsecurity=False).digest()
    right = {
        "Username": "admin",
        "Password": base64.b64encode(digest).decode(),
        "Password@Type": "urn:x#PasswordDigest",
        "Nonce": base64.b64encode(nonce).decode(),
        "Created": created,
    }
    merged = right | {name.replace("Type", "Password@Type"): v for name, v in changes.items()}
    return {f"UsernameToken/{name}": value for name, value in merged.items()}


@pytest.mark.parametrize("off", [timedelta(), TOKEN_LIFE, -TOKEN_LIFE])
def test_a_fresh_token_is_good(off: timedelta) -> None:
    assert token_problem(token(made_at=NOW + off), credentials=LOGIN, now=NOW) is None


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (token(made_at=NOW + TOKEN_LIFE + timedelta(seconds=1)), "clock"),
        (token(made_at=NOW - TOKEN_LIFE - timedelta(seconds=1)), "clock"),
        (token(password="other"), "not authorized"),
        (token(Username="root"), "not authorized"),
        (token(Created="2026-11-22T00:30:01Z"), "not authorized"),
        (token(Nonce="AAAA"), "not authorized"),
        (token(Password="ä"), "not authorized"),
        (token(Nonce="ä"), "cannot be read"),
        (token(Nonce="A"), "cannot be read"),
        (token(Created="0000-00-00T00:00:00Z"), "cannot be read"),
        (token(Created=""), "cannot be read"),
        (token(Type="urn:x#PasswordText", Password="camera-password"), "PasswordDigest"),
        ({"UsernameToken/Username": "admin"}, "PasswordDigest"),
    ],
)
def test_a_stale_or_wrong_token_is_refused_with_its_reason(
    header: Mapping[str, str], says: str
) -> None:
    problem = token_problem(header, credentials=LOGIN, now=NOW)
    assert problem is not None
    assert says in problem
    gate = Gate(realm="Camera", key=b"k")
    with pytest.raises(Unauthorised) as refused:
        check_caller(header, "", credentials=LOGIN, gate=gate, now=NOW)
    assert refused.value.status == 400


def test_whoever_sends_no_token_is_asked_for_http_digest() -> None:
    gate = Gate(realm="Camera", key=b"k")
    with pytest.raises(Unauthorised) as refused:
        check_caller({}, "", credentials=LOGIN, gate=gate, now=NOW)
    assert refused.value.status == 401


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT1M", 60.0),
        ("P1DT2H3M4.5S", 93_784.5),
        ("PT0S", 0.0),
        ("P", None),
        ("PT", None),
        ("-PT1S", None),
        ("PT\N{ARABIC-INDIC DIGIT ONE}S", None),
        ("", None),
    ],
)
def test_reads_durations(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == seconds


def pull_points(*, most: int = 4) -> PullPoints:
    options = CameraOptions(name="x", serial="S", mac="02:00:00:00:00:01", max_subscriptions=most)
    return PullPoints(CameraState(options, clock=lambda: NOW, rng=random.Random(1)))


async def ask(points: PullPoints, action: str, key: str = "", **values: str) -> str:
    return str(await points.answer(Request(action=action, values=values, header={}), key))


@pytest.mark.parametrize("limit", ["", "-1", "1e9", "99999", "x", "²"])
async def test_an_odd_limit_of_messages_is_a_fault(limit: str) -> None:
    points = pull_points()
    await ask(points, "tev:CreatePullPointSubscription")
    with pytest.raises(SoapFault, match="cannot be read"):
        await ask(points, "tev:PullMessages", "1", Timeout="PT1S", MessageLimit=limit)
    answer = await ask(points, "tev:PullMessages", "1", Timeout="PT0S", MessageLimit="9999")
    assert answer.count("Initialized") > 0  # a refused pull takes nothing away


@pytest.mark.parametrize(
    "until", ["PT0S", "-PT1S", "soon", "2026-11-22T00:29:00Z", "2026-11-22T00:31:00"]
)
async def test_an_end_that_is_past_or_unreadable_is_a_fault(until: str) -> None:
    with pytest.raises(SoapFault, match="termination time"):
        await ask(pull_points(), "tev:CreatePullPointSubscription", InitialTerminationTime=until)


@pytest.mark.parametrize("until", ["P99999D", "P" + "9" * 400 + "D", "2126-11-22T00:00:00Z"])
async def test_no_subscription_outlives_the_longest(until: str) -> None:
    answer = await ask(
        pull_points(), "tev:CreatePullPointSubscription", InitialTerminationTime=until
    )
    end = NOW + timedelta(seconds=LONGEST_LIFE_S)
    assert f"{end:%Y-%m-%dT%H:%M:%SZ}" in answer


async def test_subscriptions_are_few_and_end_when_told() -> None:
    points = pull_points(most=1)
    await ask(points, "tev:CreatePullPointSubscription")
    with pytest.raises(SoapFault, match="Maximum number"):
        await ask(points, "tev:CreatePullPointSubscription")
    await ask(points, "wsnt:Unsubscribe", "1")
    assert points.count == 0
    with pytest.raises(SoapFault, match="does not exist"):
        await ask(points, "wsnt:Unsubscribe", "1")
