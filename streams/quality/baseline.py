"""What a camera's good picture looks like: learnt picture by picture, aged slowly.

A state is opaque bytes (at most MAX_STATE), one for each band of hours and mode. Bytes that are
malformed in any way are treated as nothing learnt; no function here raises for them.

A picture is added to the view it resembles, or opens a new one: a dome on tour has a view for each
preset, a street one by day and one by lamplight. A view is a mean whose memory reaches MEMORY
pictures back (at four pictures a day and band: a week or two), so that seasons are followed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from hub.domain.quality import BandKey, Mode
from streams.quality.sample import Sample
from streams.quality.stillness import is_still
from streams.quality.structure import Structure, find_structure
from streams.quality.views import MAX_VIEWS, State, View, compare, read_state, see, write_state

MAX_STATE: Final = 16 * 1024  # bytes
MEMORY: Final = 40  # pictures
MATURE_PICTURES: Final = 4  # one day's of a band, at a picture an hour

_ENOUGH = 12  # pictures of other bands that stand in for a band not learnt yet
_SAME_VIEW = 0.42  # likeness from which on a picture shows a known view
_SHORT_MEMORY = 12  # pictures, of novelty and stillness
_UNSEEN = 0.2  # share of pictures that may show a view seen only once
_ROAMING = 0.4  # novelty from which on a camera has no usual views
_ROAMING_PICTURES = 24  # so many show every preset of a tour
_EMPTY = 0.04  # share of cells: a picture that shows less holds nothing to learn


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """How much a state holds: pictures learnt, and views (presets) they showed."""

    pictures: int
    views: int


def learn(state: bytes, sample: Sample, previous: bytes = b"") -> bytes:
    """Return the state with a picture added that is known to be good.

    ``previous`` is the fingerprint of the visit before (``CheckOrder.previous``), if there was
    one: from it is learnt how still this camera's picture usually is.
    """
    known = read_state(state)
    if previous:
        share = 1.0 / min(known.pictures + 1, _SHORT_MEMORY)
        still = known.still + share * (float(is_still(sample, previous)) - known.still)
        known = replace(known, still=still)
    structure = find_structure(sample)
    if float(structure.seen.mean()) >= _EMPTY:
        known = _add(known, structure)
    return write_state(known)


def is_mature(state: bytes) -> bool:
    """Tell whether enough is learnt for scene change and occlusion to be judged by it alone."""
    return is_settled([read_state(state)])


def is_settled(states: Sequence[State]) -> bool:
    """Tell whether states hold enough pictures, and few views are still to come.

    The share of pictures that show a view nobody saw before is estimated by the share that showed
    one seen only once (Good, Biometrika 40, 1953). A camera people steer by hand never settles.
    """
    pictures = sum(state.pictures for state in states)
    if pictures < MATURE_PICTURES or pictures * _UNSEEN < _count_singles(states):
        return False
    return not any(
        state.pictures >= _ROAMING_PICTURES and state.novelty >= _ROAMING for state in states
    )


def summary(state: bytes) -> Learnt:
    """Return how much is learnt."""
    known = read_state(state)
    return Learnt(pictures=known.pictures, views=len(known.views))


def usable_views(
    baselines: Mapping[BandKey, bytes], band: int, mode: Mode
) -> Iterator[tuple[View, ...]]:
    """Yield what may be compared with, the likest light first; nothing while too little is learnt.

    First the views of this band and mode, then those of other bands, then of the other mode.
    """
    own = read_state(baselines.get((band, mode), b""))
    is_known = is_settled([own])
    if is_known:
        yield own.views  # mostly that is enough, and the others need not even be read
    others = {key: read_state(state) for key, state in baselines.items() if key != (band, mode)}
    same = [state for (_, its), state in others.items() if its is mode]
    if not is_known:
        learnt = own.pictures + sum(state.pictures for state in same)
        if learnt < _ENOUGH or not is_settled([own, *same]):
            return
        yield own.views
    yield tuple(view for state in same for view in state.views)
    yield tuple(
        view for (_, its), state in others.items() if its is not mode for view in state.views
    )


def _count_singles(states: Sequence[State]) -> int:
    """Count the views shown once that are like no other view of these states."""
    views = [view for state in states for view in state.views]
    if all(view.pictures > 1 for view in views):
        return 0
    fields = np.stack([np.where(view.lasting, view.directions, 0).ravel() for view in views])
    fields = fields - fields.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(fields, axis=1, keepdims=True)
    fields = fields / np.maximum(norms, 1e-6)
    likeness = (fields @ fields.conj().T).real
    np.fill_diagonal(likeness, -1.0)
    lonely = likeness.max(axis=1) < _SAME_VIEW
    return sum(
        view.pictures == 1 and bool(alone) for view, alone in zip(views, lonely, strict=True)
    )


def _add(state: State, structure: Structure) -> State:
    number = state.pictures + 1
    likeness = [compare(view, structure, view.lasting) for view in state.views]
    best = int(np.argmax(likeness)) if likeness else -1
    is_new = best < 0 or likeness[best] < _SAME_VIEW
    views = list(state.views)
    if not is_new:
        views[best] = _blend(views[best], structure, number)
    else:
        if len(views) == MAX_VIEWS:
            views.remove(min(views, key=lambda view: _worth(view, number)))
        views.append(see(structure, number))
    share = 1.0 / min(number, _SHORT_MEMORY)
    novelty = state.novelty + share * (float(is_new) - state.novelty)
    return replace(state, views=tuple(views), pictures=number, novelty=novelty)


def _worth(view: View, number: int) -> float:
    """Return how often a view was shown, less for every picture since it was shown last."""
    return min(view.pictures, MEMORY) - (number - view.last) / 4.0


def _blend(view: View, structure: Structure, number: int) -> View:
    new = see(structure, number)
    share = np.float32(1.0 / min(view.pictures + 1, MEMORY))
    return View(
        directions=view.directions + share * (new.directions - view.directions),
        presence=view.presence + share * (new.presence - view.presence),
        strength=view.strength + share * (new.strength - view.strength),
        pictures=view.pictures + 1,
        last=number,
    )
