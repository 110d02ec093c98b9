"""Chat robots and push services: Apprise itself, against a server on loopback.

The rig speaks to a self-hosted ntfy; what is particular to other services is in the unit tests.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import unquote_plus

import pytest
import pytest_asyncio

from alerts.notify.apprise.notifier import AppriseNotifier
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.devices import Json
from hub.domain.errors import Rejected, TryAgain
from hub.domain.notifications import Message, ReceiverKind
from tests.protocol.notify_contract import (
    PATIENT_S,
    SECRET,
    SHORT_S,
    TOKEN,
    HttpContract,
    Received,
)
from tests.protocol.notify_far_end import FarEnd
from tests.protocol.notify_tls import make_certificate
from tests.unit.alerts_examples import ALERT, MESSAGE_ID, message, notification, receiver

# The processes are started once for all tests of this module.
pytestmark = pytest.mark.asyncio(loop_scope="module")
LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))


def clock() -> datetime:
    return datetime(2026, 11, 22, tzinfo=UTC)


class AppriseRig:
    """Two notifiers and a server that takes what any service takes."""

    kind = ReceiverKind.APPRISE

    def __init__(self, far_end: FarEnd) -> None:
        self.notifier = AppriseNotifier(LOOPBACK, clock, UTC, timeout_s=PATIENT_S)
        self.hasty = AppriseNotifier(LOOPBACK, clock, UTC, timeout_s=SHORT_S)
        self.options: Mapping[str, Json] = {}
        self.far_end = far_end
        self.secret = ""

    async def received(self, count: int) -> list[Received]:
        found = []
        for request in await self.far_end.received(count):
            said = json.loads(request.body)
            text = f"{said['title']}\n{said['message']}"
            found.append(Received(message_id=said["message"].splitlines()[-1], text=text))
        return found

    async def refuse(self) -> None:
        self.far_end.status = 503

    async def hang(self) -> None:
        self.far_end.mode = "hang"

    async def close(self) -> None:
        await self.far_end.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[AppriseRig]:
    far_end = FarEnd()
    await far_end.start()
    made = AppriseRig(far_end)
    yield made
    await made.notifier.close()
    await made.hasty.close()
    await far_end.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def rig(shared: AppriseRig) -> AppriseRig:
    await shared.far_end.restart()
    shared.secret = f"ntfy://{TOKEN}:{SECRET}@127.0.0.1:{shared.far_end.port}/duty"
    for notifier in (shared.notifier, shared.hasty):
        notifier.forget()
    return shared


class TestApprise(HttpContract):
    """The contract."""

    taken = (200,)  # ntfy knows no other
    english = {"language": "en"}  # noqa: RUF012 - a constant of the class


def to_services(rig: AppriseRig, *addresses: str) -> Message:
    return message(to=receiver(rig.kind, {}, " \n".join(addresses)))


@pytest.mark.threat("T13")
async def test_our_own_network_is_out_of_reach(rig: AppriseRig) -> None:
    port = rig.far_end.port
    guarded = AppriseNotifier(AddressPolicy(), clock, UTC, timeout_s=PATIENT_S)
    for host in ("127.0.0.1", "localhost", "127.1", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"):
        for scheme in ("ntfy", "gotify"):
            told = to_services(rig, f"{scheme}://{host}:{port}/abcdefghijklmno")
            with pytest.raises((Rejected, TryAgain)) as caught:
                await guarded.send(told)
            assert host not in str(caught.value) or "not in a network" in str(caught.value)
            guarded.forget()
    assert rig.far_end.requests == []
    with pytest.raises(Rejected, match="not in a network"):
        await guarded.send(to_services(rig, rig.secret))
    own = AddressPolicy(
        allowed=LOOPBACK.allowed,
        own_endpoints=frozenset({(ip_address("127.0.0.1"), port)}),
    )
    ours = AppriseNotifier(own, clock, UTC, timeout_s=PATIENT_S)
    with pytest.raises(Rejected, match="own services"):
        await ours.send(to_services(rig, rig.secret))
    assert rig.far_end.requests == []
    await guarded.close()
    await ours.close()


async def test_each_service_gets_a_message_once(rig: AppriseRig) -> None:
    """One takes it, one refuses it for good, one is away: only that one is asked again."""
    port = rig.far_end.port
    good = f"gotify://127.0.0.1:{port}/abcdefghijklmno"
    bad = f"rocket://127.0.0.1:{port}/not-what-it-needs"
    told = to_services(rig, good, bad, "ntfy://127.0.0.1:1/duty")
    for _ in range(2):
        with pytest.raises(TryAgain, match="accepted by 1 of 3 services"):
            await rig.notifier.send(told)
    assert [request.target for request in rig.far_end.requests] == ["/message"]
    told = to_services(rig, good, bad)
    rig.notifier.forget()
    assert (await rig.notifier.send(told)).startswith("accepted by 1 of 2 services; ")


async def test_a_service_that_hangs_keeps_it_from_nobody(rig: AppriseRig) -> None:
    rig.far_end.mode = "hang"
    notifier = AppriseNotifier(LOOPBACK, clock, UTC, timeout_s=2.0)
    other = FarEnd()
    await other.start()
    good = f"gotify://127.0.0.1:{other.port}/abcdefghijklmno"
    with pytest.raises(TryAgain, match="accepted by 1 of 3 services; no answer within"):
        await notifier.send(to_services(rig, rig.secret, rig.secret, good))
    assert len(other.requests) == 1
    await notifier.close()
    await other.stop()


async def test_a_picture_goes_along_where_there_is_room_for_it(rig: AppriseRig) -> None:
    pictured = replace(to_services(rig, rig.secret), picture=b"\xff\xd8 a picture")
    await rig.notifier.send(pictured)
    (request,) = rig.far_end.requests
    assert request.body == b"\xff\xd8 a picture"
    assert MESSAGE_ID in unquote_plus(request.target)


async def test_a_text_of_the_receivers_own(rig: AppriseRig) -> None:
    own = replace(to_services(rig, rig.secret), text="{{7*7}} 村口 <b>@all")
    await rig.notifier.send(own)
    (request,) = rig.far_end.requests
    said = json.loads(request.body)
    assert "title" not in said
    assert said["message"].splitlines()[0] == "{{7*7}} 村口 \uff1cb\uff1e\uff20all"


async def test_a_long_digest_fits_the_service_and_counts_the_rest(rig: AppriseRig) -> None:
    names = [replace(ALERT, id=n, device_name="村口" * 30 + str(n)) for n in range(20)]
    told = [notification(alert=alert, number=n) for n, alert in enumerate(names)]
    to = receiver(rig.kind, {}, f"mmost://127.0.0.1:{rig.far_end.port}/abcdefghijklmnopqrstuvwxyz")
    await rig.notifier.send(message(*told, to=to, count=100))
    (request,) = rig.far_end.requests
    text = json.loads(request.body)["text"]
    assert len(text.encode()) < 4000
    shown = sum(line.startswith("- ") for line in text.splitlines())
    assert 0 < shown < 20
    assert f"另有 {100 - shown} 条" in text


async def test_a_process_that_was_killed_is_replaced(rig: AppriseRig) -> None:
    rig.far_end.mode = "hang"
    with pytest.raises(TryAgain):
        await rig.hasty.send(to_services(rig, rig.secret))
    rig.far_end.mode = "answer"
    sent = await asyncio.gather(
        *(
            rig.notifier.send(replace(to_services(rig, rig.secret), message_id=f"id-{n}"))
            for n in range(6)
        )
    )
    assert sent == ["accepted by 1 of 1 services"] * 6


async def test_a_certificate_that_does_not_verify(
    rig: AppriseRig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*make_certificate(tmp_path_factory.mktemp("tls")))
    far_end = FarEnd()
    await far_end.start(tls)
    for query in ("", "?verify=no"):
        told = to_services(rig, f"ntfys://{TOKEN}:x@127.0.0.1:{far_end.port}/duty{query}")
        with pytest.raises((TryAgain, Rejected), match=r"not verify|cannot be used"):
            await rig.notifier.send(told)
    assert far_end.requests == []
    await far_end.stop()
