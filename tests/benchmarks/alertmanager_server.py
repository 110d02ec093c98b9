"""Debian's Alertmanager on loopback, and a client that tells it verdicts as alerts."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from tests.system.storm_script import Layout, Moment, Verdict

PROGRAM = "prometheus-alertmanager"
# As Prometheus sends them.
BATCH = 64
AGAIN_S = 60.0
FIRST_AGAIN_S = 45.0
FAR = timedelta(hours=1)

SETTINGS = """
route:
  receiver: hook
  group_by: [uplink]
  group_wait: {waits.group_wait}
  group_interval: {waits.group_interval}
  repeat_interval: 4h
receivers:
  - name: hook
    webhook_configs:
      - url: {url}
        send_resolved: true
inhibit_rules:
  - source_matchers: [alertname="UplinkDown"]
    target_matchers: [alertname="CameraDown"]
    equal: [uplink]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Alertmanager's, and how long after the last verdict something may still come."""

    name: str
    title: str
    group_wait: str
    group_interval: str
    rest_s: float
    is_repeating: bool = True


# What its documentation names as defaults; and as short as a duty room would want them.
@dataclass(slots=True, kw_only=True)
class Alertmanager:
    """A running one. ``said`` is what it was told last of each device, ``starts`` since when."""

    client: aiohttp.ClientSession
    url: str
    pid: int
    layout: Layout
    starts: dict[int, datetime] = field(default_factory=dict)
    behind: dict[int, int] = field(default_factory=dict)
    said: dict[int, dict[str, object]] = field(default_factory=dict)

    async def repeat(self) -> None:
        """Send everything again each minute, until cancelled.

        The first time lies between storm and recovery: what is sent must still hold.
        """
        await asyncio.sleep(FIRST_AGAIN_S)
        while True:
            await self._post(list(self.said.values()))
            await asyncio.sleep(AGAIN_S)

    async def play(self, moments: Sequence[Moment], start: datetime) -> None:
        """Post everything, each at its moment after ``start``."""
        for moment in moments:
            due = start + timedelta(seconds=moment.at_s)
            await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
            alerts = {verdict.device_id: self._alert(verdict, start) for verdict in moment.verdicts}
            self.said |= alerts
            await self._post(list(alerts.values()))

    def _alert(self, verdict: Verdict, start: datetime) -> dict[str, object]:
        at = start + timedelta(seconds=verdict.at_s)
        if not verdict.is_good:
            self.starts[verdict.device_id] = at
        uplink = self.behind.get(verdict.device_id)
        labels = (
            {"alertname": "UplinkDown", "uplink": str(verdict.device_id)}
            if uplink is None
            else {
                "alertname": "CameraDown",
                "uplink": str(uplink),
                "camera": str(verdict.device_id),
            }
        )
        return {
            "labels": labels,
            "annotations": {"detail": "no answer within 4 s"},
            "startsAt": self.starts[verdict.device_id].isoformat(),
            "endsAt": (at if verdict.is_good else at + FAR).isoformat(),
        }

    async def _post(self, alerts: Sequence[Mapping[str, object]]) -> None:
        for first in range(0, len(alerts), BATCH):
            part = alerts[first : first + BATCH]
            async with self.client.post(f"{self.url}/api/v2/alerts", json=part) as response:
                response.raise_for_status()


@asynccontextmanager
async def run_alertmanager(
    layout: Layout, waits: Waits, hook: str, folder: Path
) -> AsyncIterator[Alertmanager]:
    """Debian's Alertmanager without its neighbours, on free ports; it ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = folder / "alertmanager.yml"
    settings.write_text(SETTINGS.format(waits=waits, url=hook), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        f"--config.file={settings}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=error",
    )
    try:
        async with aiohttp.ClientSession() as client:
            url = f"http://127.0.0.1:{port}"
            await _until_ready(client, url)
            behind = {
                camera: uplink
                for uplink, cameras in zip(layout.uplinks, layout.children, strict=True)
                for camera in cameras
            }
            yield Alertmanager(
                client=client, url=url, pid=process.pid, layout=layout, behind=behind
            )
    finally:
        process.terminate()
        await process.wait()


async def _until_ready(client: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(15):
        while True:
            try:
                async with client.get(f"{url}/-/ready") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.05)
