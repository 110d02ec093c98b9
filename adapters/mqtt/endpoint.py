"""From a connection's address to the one IP address and port that may be connected to."""

import asyncio
import socket
from collections.abc import Sequence

from hub.domain.addresses import Address, AddressPolicy, parse_address
from hub.domain.errors import AddressRefused, DeviceUnreachable

SCHEMES = ("mqtt", "mqtts")


def parse_broker_address(text: str) -> Address:
    """Read ``mqtt://host[:port]`` or ``mqtts://host[:port]``.

    Raises:
        AddressRefused: for another form, a path, or credentials in the address.
    """
    address = parse_address(text, schemes=SCHEMES)
    if address.target != "/" or address.username or address.password:
        msg = "a broker's address is mqtt://host:port, without path, user name and password"
        raise AddressRefused(msg)
    return address


async def resolve(address: Address, policy: AddressPolicy | None) -> Sequence[str]:
    """The IP addresses of a broker that the policy allows, in the order to try them.

    Raises:
        DeviceUnreachable: the name is unknown.
        AddressRefused: the policy allows none of its addresses.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM
        )
    except OSError as error:
        msg = f"the broker's name {address.host} cannot be resolved"
        raise DeviceUnreachable(msg) from error
    ips = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    refusals = {ip: policy.refusal(ip, address.port) if policy else None for ip in ips}
    allowed = [ip for ip in ips if refusals[ip] is None]
    if not allowed:
        raise AddressRefused("; ".join(str(reason) for reason in refusals.values()))
    return allowed
