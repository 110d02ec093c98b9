"""A device that is probed, as it is held in memory: where it is, how often, what was found."""

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hub.domain.addresses import LINK_SCHEMES
from hub.domain.health import Depth, ProbeResult
from hub.domain.ports import CameraTarget
from hub.maintenance.intervals import Intervals

KEPT_FAILURES = 8
# A village's link: what is asked at once behind one is limited.
SUBNET_BITS = {4: 24, 6: 64}
# What nearly all addresses look like: read without building anything.
_IPV4 = re.compile(r"[a-z]+://(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}(?=[:/]|\Z)")


@dataclass(slots=True)
class History:
    """The last results of one device: failures are kept longer than successes."""

    success: ProbeResult | None = None
    failures: tuple[ProbeResult, ...] = ()

    def add(self, result: ProbeResult) -> None:
        """Keep a result; the oldest of its kind goes."""
        if result.failed_layer is None:
            self.success = result
        else:
            self.failures = (*self.failures, result)[-KEPT_FAILURES:]

    def newest_first(self) -> list[ProbeResult]:
        """Everything kept."""
        kept = self.failures if self.success is None else (*self.failures, self.success)
        return sorted(kept, key=lambda result: result.probed_at, reverse=True)


@dataclass(slots=True, kw_only=True)
class Watched:
    """One device on its round.

    ``must_confirm``: the hub was away, so that even a verdict like the last is to be stored.
    ``wants_depth``: it was never asked for more than an answer since it is watched here;
    ``owes_frames``: it was not asked for frames when it was to be.
    ``sampled_at``: when something was last learnt of it, as the loop counts seconds.
    """

    target: CameraTarget
    intervals: Intervals
    parent_id: int | None = None
    subnet: str = ""
    history: History = field(default_factory=History)
    is_busy: bool = False
    must_confirm: bool = False
    wants_depth: bool = True
    owes_frames: bool = False
    sampled_at: float | None = None

    @property
    def device_id(self) -> int:
        """Its number."""
        return self.target.device_id

    @property
    def address(self) -> str:
        """What is connected to; empty: nothing is, its children tell."""
        target = self.target
        return target.stream_address or target.snapshot_address or target.service_address

    @property
    def is_link(self) -> bool:
        """Tell whether connecting is all there is to ask."""
        return self.address.partition(":")[0] in LINK_SCHEMES

    @property
    def shallowest(self) -> Depth:
        """The depth of most questions: the one whose latency is comparable."""
        if self.intervals.frames_s <= self.intervals.answer_s:
            return Depth.FRAMES
        if self.intervals.stream_s <= self.intervals.answer_s:
            return Depth.STREAM
        return Depth.ANSWER


def subnet_of(address: str) -> str:
    """The subnet of an address' host; a host by name is a subnet of its own."""
    if (plain := _IPV4.match(address)) is not None:
        return f"{plain[1]}.0"
    host = urlsplit(address).hostname or ""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((ip, SUBNET_BITS[ip.version]), strict=False).network_address)
