"""Webhooks against a real HTTP server."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import socket
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from alerts.notify.webhook import WebhookNotifier, sign
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.devices import Json
from hub.domain.errors import Rejected, TryAgain
from hub.domain.notifications import ReceiverKind
from hub.domain.secrets import Secret
from hub.runtime.outbound import open_client
from tests.protocol.notify_contract import SECRET, SHORT_S, TOKEN, NotifierContract, Received
from tests.unit.alerts_examples import message, receiver

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))


def clock() -> datetime:
    return datetime(2026, 11, 22, tzinfo=UTC)


class WebhookRig:
    """A notifier and an aiohttp server on a free port."""

    kind = ReceiverKind.WEBHOOK

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self.notifier = WebhookNotifier(client, clock, UTC, timeout_s=SHORT_S)
        self.options: Mapping[str, Json] = {}
        self.requests: list[tuple[Mapping[str, str], bytes]] = []
        self.status = 204
        self.location = ""
        self._silence = asyncio.Event()
        self._silence.set()
        self._arrived = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        self.options = {"address": f"http://127.0.0.1:{self.port}/hook?token={TOKEN}"}

    async def received(self, count: int) -> list[Received]:
        async with asyncio.timeout(5), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return [
            Received(
                message_id=headers["Webhook-Id"],
                text=f"{dict(headers)} {body.decode()} {body.decode('unicode_escape')}",
            )
            for headers, body in self.requests
        ]

    async def refuse(self) -> None:
        self.status = 503

    async def hang(self) -> None:
        self._silence.clear()

    async def close(self) -> None:
        self._silence.set()
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        await self._silence.wait()
        async with self._arrived:
            self.requests.append((request.headers, body))
            self._arrived.notify_all()
        headers = {"Location": self.location} if self.location else {}
        # A hostile server sends back whatever it was given.
        return web.Response(status=self.status, headers=headers, text=str(request.headers))


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_client(LOOPBACK) as opened:
        yield opened


@pytest.fixture
async def rig(client: aiohttp.ClientSession) -> AsyncIterator[WebhookRig]:
    made = WebhookRig(client)
    await made.start()
    yield made
    await made.close()


class TestWebhook(NotifierContract):
    """The contract."""


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, None),
        (201, None),
        (204, None),
        (301, Rejected),
        (302, Rejected),
        (307, Rejected),
        (304, Rejected),
        (400, Rejected),
        (401, Rejected),
        (403, Rejected),
        (404, Rejected),
        (410, Rejected),
        (408, TryAgain),
        (425, TryAgain),
        (429, TryAgain),
        (500, TryAgain),
        (502, TryAgain),
        (503, TryAgain),
        (504, TryAgain),
    ],
)
async def test_retry_table(rig: WebhookRig, status: int, outcome: type[Exception] | None) -> None:
    rig.status = status
    sent = message(to=receiver(options=rig.options))
    if outcome is None:
        assert await rig.notifier.send(sent) == f"HTTP {status}"
        return
    with pytest.raises(outcome, match=str(status)):
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
    ((headers, body),) = rig.requests
    assert headers["Content-Type"] == "application/json"
    content = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert headers["Webhook-Signature"] == f"v1,{expected}"
    assert int(headers["Webhook-Timestamp"]) == int(clock().timestamp())


def test_the_signature_is_that_of_the_standard() -> None:
    """Value made with the example of the Standard Webhooks libraries."""
    at = datetime.fromtimestamp(1614265330, UTC)
    body = b'{"test": 2432232314}'
    secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body, secret)
    assert signed["Webhook-Signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_without_a_key_nothing_is_signed(rig: WebhookRig) -> None:
    await rig.notifier.send(message(to=receiver(options=rig.options)))
    ((headers, _),) = rig.requests
    assert "Webhook-Signature" not in headers


@pytest.mark.threat("T13")
async def test_a_redirect_is_not_followed(rig: WebhookRig) -> None:
    rig.status = 307
    rig.location = f"http://127.0.0.1:{rig.port}/elsewhere"
    with pytest.raises(Rejected, match="redirect"):
        await rig.notifier.send(message(to=receiver(options=rig.options)))
    assert len(rig.requests) == 1


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
    options = {"address": f"http://{host}:{rig.port}/"}
    async with open_client(AddressPolicy()) as guarded:
        notifier = WebhookNotifier(guarded, clock, UTC, timeout_s=SHORT_S)
        with pytest.raises(Rejected, match=r"not in a network|cannot be used"):
            await notifier.send(message(to=receiver(options=options)))
    assert rig.requests == []


@pytest.mark.threat("T13")
async def test_a_name_that_leads_home_is_out_of_reach(rig: WebhookRig) -> None:
    options = {"address": f"http://localhost:{rig.port}/"}
    async with open_client(AddressPolicy()) as guarded:
        notifier = WebhookNotifier(guarded, clock, UTC, timeout_s=SHORT_S)
        with pytest.raises((Rejected, TryAgain), match="not in a network"):
            await notifier.send(message(to=receiver(options=options)))
    assert rig.requests == []


async def test_a_server_that_speaks_something_else(client: aiohttp.ClientSession) -> None:
    async def rubbish(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(b"\x00\xff220 not http\r\n\r\n" * 100)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(rubbish, "127.0.0.1", 0, family=socket.AF_INET) as server:
        port = server.sockets[0].getsockname()[1]
        notifier = WebhookNotifier(client, clock, UTC, timeout_s=SHORT_S)
        with pytest.raises(TryAgain):
            await notifier.send(
                message(to=receiver(options={"address": f"http://127.0.0.1:{port}/"}))
            )
