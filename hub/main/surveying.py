"""Puts together what looks for devices: multicast, ONVIF, RTSP, all below one address policy."""

from functools import partial

from adapters.onvif import surveying as onvif
from hub.domain.addresses import AddressPolicy
from hub.domain.discovery import AskAddress, Find
from hub.domain.errors import UnsupportedByDevice
from hub.domain.secrets import Credentials
from hub.main.pictures import Surroundings
from hub.main.surroundings import utc_now
from hub.maintenance.discovering import Discoverer, DiscoveringSenses
from streams import surveying as rtsp


def build_discoverer(around: Surroundings) -> Discoverer:
    """What does the looks that people order; it does not run yet."""
    policy = around.policy
    return Discoverer(
        database=around.database,
        senses=DiscoveringSenses(
            ask_onvif=partial(onvif.ask_endpoint, policy=policy, clock=utc_now),
            ask_rtsp=partial(rtsp.ask_endpoint, policy=policy),
            hear=partial(onvif.hear_multicast, policy=policy),
            clock=utc_now,
        ),
    )


def address_asker(policy: AddressPolicy) -> AskAddress:
    """What tries an address before it is saved."""

    async def ask(protocol: str, address: str, credentials: Credentials) -> Find:
        if protocol == "onvif":
            return await onvif.ask_address(address, credentials, policy=policy, clock=utc_now)
        if protocol == "rtsp":
            return await rtsp.ask_address(address, credentials, policy=policy)
        msg = f"an address of {protocol} cannot be tried: save it and look at its state"
        raise UnsupportedByDevice(msg)

    return ask
