"""What a process takes from its machine and its settings: clock, time zone, reachable networks.

Light to import: every command needs it.
"""

import resource
import zoneinfo
from datetime import UTC, datetime, tzinfo

from dateutil.tz import tzlocal

from config.schema import Settings
from hub.domain.addresses import AddressPolicy, IPAddress, parse_networks


def utc_now() -> datetime:
    """The clock of everything that runs."""
    return datetime.now(UTC)


def device_policy(
    settings: Settings, own_endpoints: frozenset[tuple[IPAddress, int]]
) -> AddressPolicy:
    """Where devices may be."""
    return AddressPolicy(
        allowed=parse_networks(settings.network.devices), own_endpoints=own_endpoints
    )


def local_zone(settings: Settings) -> tzinfo:
    """The zone in which people read times."""
    if settings.time_zone:
        return zoneinfo.ZoneInfo(settings.time_zone)
    return tzlocal()


def raise_file_limit() -> int:
    """Let this process have as many files and sockets open as it may; returns how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
