"""A process that posts notifications until it is killed: ``python -m tests.db.posting_victim``."""

import asyncio
import sys
from datetime import UTC
from pathlib import Path

from alerts.notify.webhook import WebhookNotifier
from alerts.telling.delivery import Delivery
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.notifications import ReceiverKind
from hub.runtime.jobs import Jobs
from hub.runtime.outbound import open_client
from hub.store.database import Database
from hub.store.vault import Vault
from tests.db.alerts_site import wall_clock

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))


async def main(url: str, key_file: Path) -> None:
    """Say "ready" and work."""
    database = await Database.open(url, vault=Vault.open(key_file))
    jobs = Jobs(database, wall_clock)
    async with open_client(LOOPBACK) as client:
        notifier = WebhookNotifier(client, wall_clock, UTC)
        Delivery(database, wall_clock, {ReceiverKind.WEBHOOK: notifier}).register(jobs)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await jobs.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
