"""A switch, an ONU or an uplink: something to hang cameras on.

It describes the device and waits. It never connects and tells of no status: the hub's prober
knocks at ``tcp://`` addresses, and a ``passive://`` device is judged by its children.
"""

import asyncio

from adapters.uplink.options import UplinkOptions
from hub.domain.addresses import PROTOCOL_SCHEMES, parse_address
from hub.domain.devices import Connection, DeviceDescription, DeviceKind
from hub.domain.events import DeviceDescribed
from hub.domain.ports import Link

DEVICE_KEY = "uplink"  # one connection is one device


class UplinkAdapter:
    """One connection."""

    __slots__ = ("_connection", "_options")

    def __init__(self, *, connection: Connection, options: UplinkOptions) -> None:
        self._connection = connection
        self._options = options

    async def run(self, link: Link) -> None:
        """Describe the device once; raises AddressRefused when it can never be watched."""
        # Thousands of these wait side by side: nothing that was needed once is kept.
        await link.emit([DeviceDescribed(device=DEVICE_KEY, description=self._describe())])
        await asyncio.get_running_loop().create_future()

    def _describe(self) -> DeviceDescription:
        address = parse_address(self._connection.address, schemes=PROTOCOL_SCHEMES["uplink"])
        return DeviceDescription(
            kind=DeviceKind(self._options.kind),
            name=self._connection.name,
            address=address.text,
        )
