"""Running the ONVIF adapter in a test: a link that records, and an adapter for a camera."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from adapters.onvif.adapter import OnvifAdapter
from adapters.onvif.options import OnvifOptions
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.devices import Connection
from hub.domain.events import Event
from hub.domain.secrets import Credentials, Secret
from tests.protocol.onvif_camera import Camera

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8"]))
PASSWORD = "s3cret-Pa55"


class Recorder:
    """A link that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = asyncio.Event()

    async def emit(
        self, events: Sequence[Event], *, acknowledge: Callable[[], None] | None = None
    ) -> None:
        self.events.extend(events)
        if acknowledge is not None:
            acknowledge()
        self._changed.set()

    async def wait_for(self, count: int) -> list[Event]:
        async with asyncio.timeout(5):
            while len(self.events) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.events


def adapter_for(
    camera: Camera,
    *,
    password: str = PASSWORD,
    address: str = "",
    policy: AddressPolicy = LOOPBACK,
    **options: object,
) -> OnvifAdapter:
    merged: dict[str, object] = {"call_deadline_s": 2.0, "pull_timeout_s": 1.0, **options}
    return OnvifAdapter(
        connection=Connection(
            id=1,
            protocol="onvif",
            name="gate",
            address=address or camera.base,
            area_id=1,
            credentials=Credentials(username="admin", password=Secret(password)),
        ),
        options=OnvifOptions.model_validate(merged),
        policy=policy,
        clock=lambda: datetime.now(UTC),
    )


@asynccontextmanager
async def running(adapter: OnvifAdapter) -> AsyncIterator[Recorder]:
    link = Recorder()
    task = asyncio.create_task(adapter.run(link))
    try:
        yield link
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
