"""What a process takes from its machine and its settings: clock, time zone, reachable networks.

Light to import: every command needs it.
"""

import gc
import os
import resource
import zoneinfo
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from dateutil.tz import tzlocal

from config.schema import Settings
from hub.domain.addresses import AddressPolicy, IPAddress, parse_networks

LOCAL_TIME = Path("/etc/localtime")


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
    # By its name where the machine says one: browsers and calendars know zones by name.
    _, found, name = str(LOCAL_TIME.resolve()).partition("/zoneinfo/")
    try:
        name = name.replace("Etc/UTC", "UTC")
        return zoneinfo.ZoneInfo(name) if found and "TZ" not in os.environ else tzlocal()
    except (ValueError, zoneinfo.ZoneInfoNotFoundError):
        return tzlocal()


def raise_file_limit() -> int:
    """Let this process have as many files and sockets open as it may; returns how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def calm_collector() -> None:
    """Have Python look seldom for cyclic garbage, and never through what was loaded at the start.

    With 70,000 devices in memory a full look stops everything for most of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
