"""Session numbers of devices: which status is late. Pure.

A device counts its sessions up, or uses the Unix time at which it started. The Will of an older
session may arrive after the status of a newer one; it is ignored. Two clients that use one
identity are told apart by it as well: the higher number is believed.
"""

from collections import OrderedDict

MAX_DEVICES = 200_000  # the longest unheard are forgotten; the store knows their sessions too


class SessionBook:
    """The highest session seen of each device."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, int] = OrderedDict()

    def is_late(self, device: str, session: int | None) -> bool:
        """Note a session; True when a higher one was seen before. Without a number nothing is."""
        if session is None:
            return False
        if session < self._sessions.get(device, 0):
            return True
        self._sessions[device] = session
        self._sessions.move_to_end(device)
        if len(self._sessions) > MAX_DEVICES:
            self._sessions.popitem(last=False)
        return False

    def current(self, device: str) -> int | None:
        """The highest session seen, None when there was none."""
        return self._sessions.get(device)
