"""Turns tallies of devices into what a filter bar offers. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hub.store.device_lists import DeviceFilter
from hub.store.device_order import DeviceTally, RecordTally


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCounts:
    """How many devices a filter leaves, and how many there were by another choice of each part."""

    total: int
    by_status: Mapping[str, int]
    by_kind: Mapping[str, int]
    by_layer: Mapping[str, int]
    flapping: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordValue:
    """A value of the asset record and how many devices have it; ``manufacturer`` of a model."""

    value: str
    count: int
    manufacturer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordValues:
    """Every value there is, the most frequent first."""

    classes: Sequence[RecordValue]
    teams: Sequence[RecordValue]
    manufacturers: Sequence[RecordValue]
    models: Sequence[RecordValue]


def without_choices(wanted: DeviceFilter) -> DeviceFilter:
    """What of a filter the tallies are to be asked with: all but what is counted."""
    return replace(wanted, status=None, statuses=(), layer=None, kind="", is_flapping=None)


def sum_tallies(tallies: Iterable[DeviceTally], wanted: DeviceFilter) -> DeviceCounts:
    """Add up; each count honours every part of the filter but its own."""
    chosen = (wanted.status,) if wanted.status else wanted.statuses
    by_status, by_kind, by_layer = Counter[str](), Counter[str](), Counter[str]()
    total = flapping = 0
    for one in tallies:
        misses = {
            "status": bool(chosen) and one.status not in chosen,
            "kind": bool(wanted.kind) and one.kind != wanted.kind,
            "layer": wanted.layer is not None and one.layer != wanted.layer,
            "flapping": wanted.is_flapping not in {None, one.is_flapping},
        }
        missed = {name for name, misses_it in misses.items() if misses_it}
        total += 0 if missed else one.count
        by_status[one.status] += one.count if missed <= {"status"} else 0
        by_kind[one.kind] += one.count if missed <= {"kind"} else 0
        if one.layer:
            by_layer[one.layer] += one.count if missed <= {"layer"} else 0
        if one.is_flapping:
            flapping += one.count if missed <= {"flapping"} else 0
    return DeviceCounts(
        total=total,
        by_status=dict(+by_status),
        by_kind=dict(+by_kind),
        by_layer=dict(+by_layer),
        flapping=flapping,
    )


def sum_records(tallies: Iterable[RecordTally]) -> RecordValues:
    """Add up by each part of the record alone; models by who makes them."""
    classes, teams, makers = Counter[str](), Counter[str](), Counter[str]()
    models = Counter[tuple[str, str]]()
    for one in tallies:
        classes[one.device_class] += one.count
        teams[one.team] += one.count
        makers[one.manufacturer] += one.count
        models[one.model, one.manufacturer] += one.count
    return RecordValues(
        classes=_most_frequent(classes),
        teams=_most_frequent(teams),
        manufacturers=_most_frequent(makers),
        models=[
            RecordValue(value=model, manufacturer=maker, count=count)
            for (model, maker), count in models.most_common()
        ],
    )


def _most_frequent(counts: Counter[str]) -> list[RecordValue]:
    return [RecordValue(value=value, count=count) for value, count in counts.most_common()]
