"""Webhooks against a real HTTP server."""

import base64
import hashlib
import hmac
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from alerts.notify.webhook import WebhookNotifier, sign
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.devices import Json
from hub.domain.errors import Rejected, TryAgain
from hub.domain.notes import Note
from hub.domain.notifications import ReceiverKind
from hub.domain.secrets import Secret
from hub.runtime.outbound import open_client
from tests.protocol.notify_contract import (
    PATIENT_S,
    SECRET,
    SHORT_S,
    TOKEN,
    HttpContract,
    Received,
    Rig,
)
from tests.protocol.notify_far_end import FarEnd, run_far_end
from tests.protocol.notify_tls import make_certificate
from tests.unit.alerts_examples import ALERT, message, notification, receiver

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))


def clock() -> datetime:
    return datetime(2026, 11, 22, tzinfo=UTC)


class WebhookRig:
    """Two notifiers and an HTTP server on a free port."""

    kind = ReceiverKind.WEBHOOK
    secret = SECRET

    def __init__(self, client: aiohttp.ClientSession, far_end: FarEnd) -> None:
        self.notifier = WebhookNotifier(
            client, clock, UTC, link_base="https://hub.example.org", timeout_s=PATIENT_S
        )
        self.hasty = WebhookNotifier(client, clock, UTC, timeout_s=SHORT_S)
        self.far_end = far_end
        self.options: Mapping[str, Json] = {
            "address": f"http://127.0.0.1:{far_end.port}/hook?token={TOKEN}"
        }

    async def received(self, count: int) -> list[Received]:
        return [
            Received(
                message_id=request.headers["webhook-id"],
                text=f"{request.headers} {request.body.decode('unicode_escape')}",
            )
            for request in await self.far_end.received(count)
        ]

    async def refuse(self) -> None:
        self.far_end.status = 503

    async def hang(self) -> None:
        self.far_end.mode = "hang"

    async def close(self) -> None:
        await self.far_end.stop()


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_client(LOOPBACK) as opened:
        yield opened


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def rig(client: aiohttp.ClientSession) -> AsyncIterator[WebhookRig]:
    async with run_far_end() as far_end:
        yield WebhookRig(client, far_end)


class TestWebhook(HttpContract):
    """The contract."""


class TestAlertmanagerFormat(HttpContract):
    """The contract, for the other JSON."""

    @pytest.fixture(autouse=True)
    def other_format(self, rig: WebhookRig) -> None:
        rig.options = {**rig.options, "format": "alertmanager"}

    async def test_a_digest_says_how_many_and_counts_what_it_leaves_out(self, rig: Rig) -> None:
        """In this format by its own field."""
        told = [notification(number=1), notification(number=2, alert=replace(ALERT, id=43))]
        to = receiver(rig.kind, rig.options, SECRET)
        await rig.notifier.send(message(*told, to=to, count=23))
        (got,) = await rig.received(1)
        assert '"truncatedAlerts":21' in got.text

    async def test_a_note_brings_its_link_whole_and_no_log_has_it(
        self, rig: Rig, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What reads this format expects alerts: it is told of nothing else."""
        del caplog
        note = Note(title="任务", text="", link=Secret("https://hub.example.org/phone/task#x"))
        sent = replace(message(to=receiver(rig.kind, rig.options, SECRET)), note=note)
        with pytest.raises(Rejected, match="alerts only"):
            await rig.notifier.send(sent)


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        (SECRET, SECRET.encode()),
        ("whsec_" + base64.b64encode(b"k" * 24).decode(), b"k" * 24),
        ("whsec_not base64", b"whsec_not base64"),
    ],
)
async def test_the_receiver_can_check_who_sent_it(rig: WebhookRig, secret: str, key: bytes) -> None:
    await rig.notifier.send(message(to=receiver(options=rig.options, secret=secret)))
    (request,) = rig.far_end.requests
    headers, body = request.headers, request.body
    assert headers["content-type"] == "application/json"
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert int(headers["webhook-timestamp"]) == int(clock().timestamp())


def test_the_signature_is_that_of_the_standard() -> None:
    """Value made with the example of the Standard Webhooks libraries."""
    at = datetime.fromtimestamp(1614265330, UTC)
    body = b'{"test": 2432232314}'
    secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body, secret)
    assert signed["Webhook-Signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_without_a_key_nothing_is_signed(rig: WebhookRig) -> None:
    await rig.notifier.send(message(to=receiver(options=rig.options)))
    (request,) = rig.far_end.requests
    headers = request.headers
    assert "webhook-signature" not in headers


@pytest.mark.threat("T13")
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0.0.0.0",  # an address to refuse, nothing is bound
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "[fe80::1]",
        "10.0.0.1",
        "192.168.1.1",
        "[2002:7f00:1::]",
    ],
)
async def test_our_own_network_is_out_of_reach(rig: WebhookRig, host: str) -> None:
    options = {"address": f"http://{host}:{rig.far_end.port}/"}
    async with open_client(AddressPolicy()) as guarded:
        notifier = WebhookNotifier(guarded, clock, UTC, timeout_s=PATIENT_S)
        with pytest.raises(Rejected, match=r"not in a network|cannot be used"):
            await notifier.send(message(to=receiver(options=options)))
    assert rig.far_end.requests == []


@pytest.mark.threat("T13")
async def test_a_name_that_leads_home_is_out_of_reach(rig: WebhookRig) -> None:
    options = {"address": f"http://localhost:{rig.far_end.port}/"}
    async with open_client(AddressPolicy()) as guarded:
        notifier = WebhookNotifier(guarded, clock, UTC, timeout_s=PATIENT_S)
        with pytest.raises((Rejected, TryAgain), match="not in a network"):
            await notifier.send(message(to=receiver(options=options)))
    assert rig.far_end.requests == []


async def test_a_certificate_that_does_not_verify(
    client: aiohttp.ClientSession, certificate: tuple[Path, Path]
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    far_end = FarEnd()
    await far_end.start(tls)
    notifier = WebhookNotifier(client, clock, UTC, timeout_s=PATIENT_S)
    for scheme, why in (("https", "certificate does not verify"), ("http", "connection failed")):
        options = {"address": f"{scheme}://127.0.0.1:{far_end.port}/?{TOKEN}"}
        with pytest.raises(TryAgain, match=why) as caught:
            await notifier.send(message(to=receiver(options=options)))
        assert TOKEN not in str(caught.value)
    assert far_end.requests == []
    await far_end.stop()
