"""Sensors that report nonsense, through everything: wire, pipeline, keeper, alerts, API."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hub.simulators.faults import Fault
from tests.system.village_site import Site, everything_reports, run_site, until


@pytest.mark.timeout(200)
async def test_a_sensors_faults_are_listed_alerted_and_over(
    timescaledb_database_url: str, tmp_path: Path
) -> None:
    async with run_site(timescaledb_database_url, tmp_path, cameras=0, sensors=2) as site:
        await everything_reports(site)
        for line in await site.items("devices"):
            await site.post(f"devices/{line['id']}/approve", {})
        station = site.village.stations["station-1"]

        await station.set_fault(Fault.OUT_OF_RANGE)
        await until("alert", firing(site, "Sensor value out of range"), within_s=30)
        (point,) = await site.items("points", fault="true")
        assert (point["key"], point["device_name"]) == ("temp", station.label)
        assert point["faults"][0]["sentence"].endswith("below its limit of -40 °C")
        shown = await device(site, station.label)
        assert (shown["status"], shown["layer"]) == ("degraded", "readings")

        await station.set_fault(Fault.LOW_BATTERY)
        await until("alert", firing(site, "Battery low"), within_s=30)
        await until("end", nothing_listed(site), within_s=30)
        assert (await device(site, station.label))["status"] == "online"

        limits = await site.api.patch(f"points/{point['id']}", json={"stuck_after_s": 5})
        assert limits.is_success, limits.text
        await station.set_fault(Fault.STUCK_VALUE)
        await until("alert", firing(site, "Sensor value stuck"), within_s=40)
        assert not await firing(site, "Sensor value out of range")()
        await station.clear_fault()
        await until("end", nothing_listed(site), within_s=60)


async def device(site: Site, name: str) -> dict[str, Any]:
    (line,) = [line for line in await site.items("devices") if line["name"] == name]
    return line


def firing(site: Site, rule: str) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return any(
            alert["rule_name"].startswith(rule) and alert["status"] == "firing"
            for alert in await site.items("alerts")
        )

    return check


def nothing_listed(site: Site) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return not await site.items("points", fault="true")

    return check
