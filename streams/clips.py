"""Films a camera for some seconds, with its masks painted over; every decoder is confined.

The hub collects the encoded pictures of one session, within limits of size and time; a process
of its own decodes them, paints over them and encodes a film that browsers play.
"""

import asyncio
from typing import Final

import aiohttp

from hub.domain.addresses import AddressPolicy
from hub.domain.looks import LONGEST_CLIP_S, Clip
from hub.domain.ports import CameraTarget, Clock
from streams.confined import Confined

MIME: Final = "video/mp4"
CLIP_LIMIT_S: Final = 30.0


class ClipTaker:
    """Takes films, one at a time for each process; close it in the end.

    ``client`` enforces the address policy on every connection it opens, redirects included.
    """

    def __init__(
        self,
        *,
        client: aiohttp.ClientSession,
        policy: AddressPolicy,
        clock: Clock,
        limit_s: float = CLIP_LIMIT_S,
    ) -> None:
        self._client, self._policy, self._clock = client, policy, clock
        self._child = Confined("streams.clip_worker", limit_s=limit_s)

    async def __call__(self, target: CameraTarget, *, seconds: float, timeout_s: float) -> Clip:
        """Return a film of MIME, at most LONGEST_CLIP_S long.

        Raises:
            DeviceError: the camera sends nothing to film, or it cannot be decoded.
        """
        raise NotImplementedError(min(seconds, LONGEST_CLIP_S), target, timeout_s)

    async def close(self) -> None:
        """End the process, once it has answered."""
        await asyncio.shield(self._child.close())
