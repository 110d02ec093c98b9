"""A camera that speaks RTSP only: described at the start, then again every few hours.

It emits DeviceDescribed when the description is new or has changed, and raises when the camera
does not answer. It never retries, never plays a stream and opens no socket of its own: the
describing function is passed in.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from adapters.rtsp.options import RtspOptions
from hub.domain.devices import Channel, Connection, DeviceDescription, DeviceKind, Stream
from hub.domain.errors import UnsupportedByDevice
from hub.domain.events import DeviceDescribed
from hub.domain.ports import CameraTarget, Clock, DescribeStream, Link

log = logging.getLogger(__name__)

DEVICE_KEY = "camera"  # one connection is one camera
CHANNEL_KEY = "1"


class RtspAdapter:
    """One RTSP connection. ``sleep`` is replaced in tests only."""

    def __init__(
        self,
        *,
        connection: Connection,
        options: RtspOptions,
        describe: DescribeStream,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._connection = connection
        self._options = options
        self._describe = describe
        self._clock = clock
        self._sleep = sleep

    async def run(self, link: Link) -> None:
        """Report until cancelled; raises a DeviceError when the camera does not answer."""
        known: DeviceDescription | None = None
        interval = timedelta(seconds=self._options.poll_interval_s)
        while True:
            due_at = self._clock() + interval
            description = await self._read_description()
            if description != known:
                await link.emit([DeviceDescribed(device=DEVICE_KEY, description=description)])
                known = description
            await self._sleep(max(0.0, (due_at - self._clock()).total_seconds()))

    async def _read_description(self) -> DeviceDescription:
        streams = [await self._read_stream(self._connection.address)]
        if self._options.sub_stream_address:
            try:
                sub = await self._read_stream(self._options.sub_stream_address)
                streams.append(replace(sub, role="sub"))
            except UnsupportedByDevice as error:
                log.warning(
                    "connection %s: the sub stream is left out: %s", self._connection.name, error
                )
        channel = Channel(
            key=CHANNEL_KEY,
            name=self._connection.name,
            streams=tuple(streams),
            snapshot_address=self._options.snapshot_address,
        )
        return DeviceDescription(
            kind=DeviceKind.CAMERA,
            name=self._connection.name,
            address=self._connection.address,
            channels=(channel,),
        )

    async def _read_stream(self, address: str) -> Stream:
        target = CameraTarget(
            device_id=0,  # not registered yet
            channel=CHANNEL_KEY,
            stream_address=address,
            credentials=self._connection.credentials,
        )
        stream = await self._describe(target, timeout_s=self._options.timeout_s)
        return replace(stream, role="main")
