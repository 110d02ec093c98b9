"""What a hub with the roles alerts and work does about alerts, and nothing else.

A process of its own for tests that kill it: it starts in a third of the time of the whole hub.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from alerts.escalation.escalating import Escalator
from alerts.handling.quieting import QuietEnds
from alerts.judging.engine import AlertEngine
from alerts.notify.webhook import WebhookNotifier
from alerts.telling.delivery import Delivery
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.notifications import ReceiverKind
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.runtime.outbound import open_client
from hub.store.database import Database
from hub.store.vault import Vault
from tests.system.role_process import RUNNING


def now() -> datetime:
    return datetime.now(UTC)


async def main() -> None:
    """Read the same settings as the hub, and work until somebody ends this."""
    database = await Database.open(
        os.environ["GENGFU_DATABASE__URL"],
        vault=Vault.open(Path(os.environ["GENGFU_DATA_DIR"]) / "gengfu.key"),
    )
    policy = AddressPolicy(
        allowed=parse_networks([os.environ["GENGFU_NETWORK__RECEIVERS"]]),
        own_endpoints=frozenset(),
    )
    jobs, live = Jobs(database, now), LiveFeed(database)
    async with open_client(policy) as client, asyncio.TaskGroup() as group:
        webhook = WebhookNotifier(client, now, UTC)
        Delivery(database, now, {ReceiverKind.WEBHOOK: webhook}).register(jobs)
        group.create_task(live.run())
        await live.listening.wait()
        group.create_task(AlertEngine(database, jobs, live, now).run())
        group.create_task(Escalator(database, jobs, now, live=live).run())
        group.create_task(QuietEnds(database, jobs, now).run())
        group.create_task(jobs.run())
        sys.stdout.write(RUNNING + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
