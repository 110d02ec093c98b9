"""Where pictures stand in the film that a viewer is sent. Pure.

The timeline has no gaps, whatever the camera's timestamps do: a browser takes a gap for the end
of what can be played, and every second of a gap would be a second of delay from then on. Each
picture lasts as long as the one before it was apart from it, so that none must wait for the next
one to be sent (this is RTP's clock, 90 kHz).
"""

from dataclasses import dataclass
from typing import Final

BEGIN: Final = 90_000  # pictures that come out of order must not be shown before time 0
USUAL: Final = 3_600  # 25 pictures a second, until something else is known
_LONGEST: Final = 90_000  # a step that is longer, and no habit, is a gap
_HABIT: Final = 3  # steps up to so many times the last one are taken as they are
_WRAP: Final = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """When a picture is decoded, how long it is shown, how much later than decoded."""

    decode_time: int
    duration: int
    offset: int = 0


class Timeline:
    """Places pictures in the order in which they come."""

    def __init__(self) -> None:
        self._next = BEGIN
        self._last: int | None = None
        self._step = USUAL
        self._reordered: _Reordered | None = None

    @property
    def step(self) -> int:
        """How far pictures are apart."""
        return self._step

    def forget(self) -> None:
        """What comes next has nothing to do with what came before."""
        self._last, self._reordered = None, None

    def place(self, timestamp: int, *, is_key: bool) -> Place:
        """Place the next picture."""
        step = self._step
        if self._last is not None:
            moved = (timestamp - self._last + _WRAP // 2) % _WRAP - _WRAP // 2
            if moved < 0 and self._reordered is None and -moved < _LONGEST:
                self._reordered = _Reordered(self._next - step)
            if self._reordered is not None:
                self._last = timestamp
                return self._place_reordered(moved, is_key=is_key)
            if 0 < moved <= max(_LONGEST, _HABIT * step):
                step = self._step = moved
        self._last = timestamp
        found = Place(decode_time=self._next, duration=step)
        self._next += step
        return found

    def _place_reordered(self, moved: int, *, is_key: bool) -> Place:
        """A stream with B pictures: they come in another order than they are shown in."""
        order = self._reordered
        if order is None or abs(moved) > _LONGEST:
            self._reordered = None
            found = Place(decode_time=self._next, duration=self._step)
            self._next += self._step
            return found
        self._step = order.learn(moved)
        if is_key:  # here a jump does no harm: what comes needs nothing from before
            self._next = max(self._next, order.shown)
        found = Place(decode_time=self._next, duration=self._step, offset=order.shown - self._next)
        self._next += self._step
        return found


class _Reordered:
    """Knows when a picture is shown, and how far pictures are apart, in a stream out of order."""

    def __init__(self, shown: int) -> None:
        self.shown = shown
        self._steps: list[int] = []

    def learn(self, moved: int) -> int:
        self.shown += moved
        if moved:
            self._steps = [*self._steps[-15:], abs(moved)]
        return min(self._steps, default=USUAL)
