"""The whole path with real parts: stored event, rule, queue, HTTP, on both databases."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from datetime import UTC

from aiohttp import web

from alerts.notify.webhook import WebhookNotifier
from alerts.telling.delivery import Delivery
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.conditions import DeviceOffline
from hub.domain.health import Status
from hub.domain.notifications import DeliveryStatus, ReceiverKind
from hub.domain.secrets import Secret
from hub.runtime.outbound import open_client
from hub.store.database import Database
from hub.store.notifications import list_notifications
from hub.store.receivers import change_receiver
from tests.db.alerts_site import HUB, SECRET, Clock, Site, running, wall_clock

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))


@dataclass(slots=True)
class Hook:
    """An HTTP server that turns the first call away and takes the rest."""

    calls: list[tuple[str, str, bool]] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        """Keep id, type and whether it was signed."""
        body = json.loads(await request.read())
        signed = "Webhook-Signature" in request.headers
        self.calls.append((request.headers["Webhook-Id"], body["type"], signed))
        if len(self.calls) == 1:
            return web.Response(status=503)
        if len(self.calls) == 3:
            self.done.set()
        return web.Response()


async def test_a_dead_camera_reaches_the_webhook_and_so_does_its_return(
    database: Database,
) -> None:
    site = await Site(database, Clock()).build()
    hook = Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    async with database.transaction() as tx:
        moved = replace(site.receiver, options={"address": address}, secret=Secret(SECRET))
        await change_receiver(tx, HUB, moved)
    await site.add_rule(DeviceOffline())
    device = await site.add_device()
    async with open_client(LOOPBACK) as client:
        notifier = WebhookNotifier(client, wall_clock, UTC)
        Delivery(database, wall_clock, {ReceiverKind.WEBHOOK: notifier}).register(site.jobs)
        async with running(site.live.run(), site.jobs.run(), site.engine().run()):
            await site.turn(device, Status.OFFLINE)
            await site.turn(device, Status.ONLINE)
            async with asyncio.timeout(20):
                await hook.done.wait()
                await _until_delivered(site)
    await runner.cleanup()
    ids = [call[0] for call in hook.calls]
    assert [call[1:] for call in hook.calls] == [
        ("alert.fired", True),
        ("alert.fired", True),
        ("alert.resolved", True),
    ]
    assert ids[0] == ids[1] != ids[2]


async def _until_delivered(site: Site) -> None:
    while True:
        (alert,) = await site.alerts()
        async with site.database.transaction() as tx:
            lines = await list_notifications(tx, HUB, alert.id)
        if [line.status for line in lines] == [DeliveryStatus.DELIVERED] * 2:
            assert [len(line.attempts) for line in lines] == [2, 1]
            return
        await asyncio.sleep(0.02)
