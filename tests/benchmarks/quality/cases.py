"""The labelled pictures of the proof: which view, in which situation, with which fault or none.

A case is a recipe; ``Case.render`` makes the JPEG, always the same for the same case. Faults come
by day, and those that can be told there also at night in colour and in infrared light.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from hub.domain.quality import Index, Thresholds
from hub.domain.quality_profiles import DAY, INDOOR, NIGHT
from tests.benchmarks.quality.camera import Treatment, expose_automatically, take
from tests.benchmarks.quality.catalogue import Photograph, Place
from tests.benchmarks.quality.faults import (
    CARDS,
    FAULTS,
    GRADES,
    GRADES_AT_NIGHT,
    Strength,
    fault,
    lost,
)
from tests.benchmarks.quality.negatives import AT_NIGHT, BY_DAY, INDOORS
from tests.benchmarks.quality.negatives import INFRARED as INFRARED_LIGHT
from tests.benchmarks.quality.negatives import NIGHT as LAMPLIGHT
from tests.benchmarks.quality.photographs import Album, View, views

DAYLIGHT: Final = Treatment(light=(expose_automatically,))
BY_NIGHT: Final = ("defocus", "grease", "grain", "snow", "interference", "hum")
BY_INFRARED: Final = (
    "defocus", "grease", "dark", "bright", "milky", "grain", "snow", "interference", "columns",
)  # fmt: skip

ALSO: Final[Mapping[str, frozenset[Index]]] = {
    "dark": frozenset({Index.CONTRAST}),  # what is left of the range is small
    "bright": frozenset({Index.CONTRAST}),
    "snow": frozenset({Index.SIGNAL}),  # to say that there is no signal is right as well
}
"""What may rightly be said as well of a picture with a fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One labelled picture. Without a ``fault`` it is acceptable, whatever its ``kind``."""

    view: View
    situation: str
    treatment: Treatment
    thresholds: Thresholds
    kind: str = "good"
    fault: str = ""
    index: Index | None = None
    strength: Strength = Strength.CLEAR

    @property
    def name(self) -> str:
        """A name that can be a file's."""
        what = f"{self.fault} {self.strength.name}" if self.fault else self.kind
        text = f"{self.view.photograph.name} {self.view.number} {self.situation} {what}"
        return text.lower().replace(",", "").replace(" ", "-")

    @property
    def accepted(self) -> frozenset[Index]:
        """What may be said of the picture beside its fault."""
        return ALSO.get(self.fault, frozenset())

    def render(self) -> bytes:
        """The JPEG."""
        return take(
            self.view, self.treatment, np.random.default_rng(zlib.crc32(self.name.encode()))
        )


def list_cases(album: Album, count: int) -> Iterator[Case]:
    """All cases of ``count`` views of each photograph, photograph by photograph."""
    for photograph in album.photographs:
        picture = album.read(photograph)
        for view in views(photograph, picture, count):
            yield from cases_of(view)


def cases_of(view: View) -> Iterator[Case]:
    """All cases of one view."""
    photograph = view.photograph
    if photograph.kind:
        yield _as_it_is(view)
        return
    if photograph.place is not Place.GREY:
        yield Case(view=view, situation="day", treatment=DAYLIGHT, thresholds=_by_day(photograph))
        yield from _faulty(view, "day", DAYLIGHT, list(FAULTS))
        yield from _lost(view)
        for kind, treatment in BY_DAY.items():
            if photograph.place is Place.OUTDOOR or kind in INDOORS:
                yield _negative(view, kind, treatment.after(DAYLIGHT))
        yield from _faulty(view, "night", LAMPLIGHT, _share(BY_NIGHT, view))
    yield from _faulty(view, "infrared", INFRARED_LIGHT, _share(BY_INFRARED, view))
    for kind, treatment in AT_NIGHT.items():
        if treatment.infrared or photograph.place is not Place.GREY:
            yield _negative(view, kind, treatment)


def _by_day(photograph: Photograph) -> Thresholds:
    return INDOOR if photograph.place is Place.INDOOR else DAY


def _as_it_is(view: View) -> Case:
    """A photograph that is a hard negative by itself."""
    photograph = view.photograph
    is_night = photograph.place is Place.NIGHT
    return Case(
        view=view,
        situation="night" if is_night else "day",
        treatment=Treatment(infrared=photograph.place is Place.GREY),
        thresholds=NIGHT if is_night else _by_day(photograph),
        kind=photograph.kind,
    )


def _negative(view: View, kind: str, treatment: Treatment) -> Case:
    return Case(
        view=view,
        situation="night" if kind in AT_NIGHT else "day",
        treatment=treatment,
        thresholds=NIGHT if kind in AT_NIGHT else _by_day(view.photograph),
        kind=kind,
    )


def _share(names: Sequence[str], view: View) -> Sequence[str]:
    """Half of the faults, the other half with the next view: a case costs a tenth of a second."""
    return names[view.number % 2 :: 2]


def _faulty(view: View, situation: str, light: Treatment, names: Sequence[str]) -> Iterator[Case]:
    grades = GRADES if situation == "day" else GRADES_AT_NIGHT
    for name in names:
        for strength in Strength:
            yield Case(
                view=view,
                situation=situation,
                treatment=fault(name, strength, grades).after(light),
                thresholds=_by_day(view.photograph) if situation == "day" else NIGHT,
                kind="",
                fault=name,
                index=FAULTS[name][0],
                strength=strength,
            )


def _lost(view: View) -> Iterator[Case]:
    first = view.seed % len(CARDS)
    for card in (CARDS[first], CARDS[(first + 3) % len(CARDS)]):
        yield Case(
            view=view,
            situation="day",
            treatment=lost(card),
            thresholds=_by_day(view.photograph),
            kind="",
            fault=f"lost: {card}",
            index=Index.SIGNAL,
        )
