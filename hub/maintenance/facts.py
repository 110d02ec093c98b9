"""What key figures are worked out from, put together by group."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hub.store.kpis import CameraDays, Moment, Records
from hub.store.ledger_rows import GroupBy, GroupSums, Repairs

G = TypeVar("G", GroupSums, Repairs, Moment, CameraDays, Records)
_Key = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the figures of some groups are worked out from."""

    sums: Sequence[GroupSums]
    repairs: Sequence[Repairs]
    moments: Sequence[Moment]
    days: Sequence[CameraDays]
    records: Sequence[Records]


def split(facts: Facts) -> Iterator[tuple[_Key, Facts]]:
    """The facts of each group, in the order in which the sums come."""
    repairs, moments = _by_key(facts.repairs), _by_key(facts.moments)
    days, records = _by_key(facts.days), _by_key(facts.records)
    for key, sums in _by_key(facts.sums).items():
        yield (
            key,
            Facts(
                sums=sums,
                repairs=repairs.get(key, ()),
                moments=moments.get(key, ()),
                days=days.get(key, ()),
                records=records.get(key, ()),
            ),
        )


def _by_key(rows: Sequence[G]) -> Mapping[_Key, Sequence[G]]:
    found: dict[_Key, list[G]] = {}
    for row in rows:
        found.setdefault((row.area_id, row.name), []).append(row)
    return found


def narrow(facts: Facts, by: GroupBy) -> Facts:
    """Facts by every grouping as facts by one of them."""
    place = list(GroupBy).index(by)
    return Facts(
        sums=[_rename(row, place) for row in facts.sums],
        repairs=[_rename(row, place) for row in facts.repairs],
        moments=[_rename(row, place) for row in facts.moments],
        days=[_rename(row, place) for row in facts.days],
        records=[_rename(row, place) for row in facts.records],
    )


def _rename(row: G, place: int) -> G:
    is_area = place == 0
    return replace(row, name=json.loads(row.name)[place], area_id=row.area_id if is_area else 0)
