"""Starts an embedded server again that ended by itself: killed, or out of disk.

Runs in the event loop, because servers are started from the main thread; the loop stands still
for the fraction of a second that a start takes.
"""

import asyncio
import logging

from config.schema import Settings
from hub.domain.errors import ConfigError
from hub.main.servers import Servers

log = logging.getLogger(__name__)

LOOK_S = 1.0
RETRY_S = 10.0


async def revive_servers(servers: Servers, settings: Settings) -> None:
    """Look after the embedded servers until cancelled; an end is said once, a failure too."""
    said = ""
    while True:
        wait = LOOK_S
        for name, server in (("database", servers.database), ("broker", servers.broker)):
            if server is None or server.is_alive():
                continue
            if not said:
                log.error("the embedded %s ended by itself: it is started again", name)
            try:
                server.revive(settings.data_dir)
            except ConfigError as error:
                if said != str(error):
                    log.warning("the embedded %s cannot be started: %s", name, error)
                said, wait = str(error), RETRY_S
            else:
                log.info("the embedded %s runs again", name)
                said = ""
        await asyncio.sleep(wait)
