"""What a patrol plan asks for beside its times, and its JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.domain.access import Role
from hub.domain.devices import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Walker:
    """Who judges the stops: a person, whoever holds a role there, or the roster of the area.

    None of them: whoever may operate in the area.
    """

    user_id: int | None = None
    role: Role | None = None
    is_roster: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which approved cameras of the plan's area are stops; an empty field asks nothing.

    ``polygon`` is drawn on the map: (longitude, latitude), three corners at the least; a camera
    without coordinates lies in none.
    """

    area_ids: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    polygon: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPreset:
    """Where a camera with motors is sent for its picture, and where it is sent back to."""

    preset: str
    home: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollCall:
    """The duty-room check of a plan: every room answers within ``answer_s`` of being asked.

    ``spread_s``: the rooms are asked one after another over that time, from the round's begin.
    """

    answer_s: int = 300
    spread_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDetails:
    """What a plan asks for beside its times; a round keeps a copy.

    ``presets`` are by device; ``preset`` is for every other camera with motors, empty: as it
    stands. ``random_share`` of the stops without doubt are shown to a person in MIXED and
    SAMPLED, ``second_share`` of all judged stops to a supervisor. ``per_area`` cameras of each
    village are drawn each round, so that each is seen within ``within_rounds`` (SAMPLED).
    ``tolerance_s``: a stop this much off its time is early or late.
    """

    walker: Walker = field(default_factory=Walker)
    selection: Selection = field(default_factory=Selection)
    preset: StopPreset | None = None
    presets: Mapping[int, StopPreset] = field(default_factory=dict)
    random_share: float = 0.05
    second_share: float = 0.0
    per_area: int = 2
    within_rounds: int = 10
    tolerance_s: int = 600
    clip_s: float = 0.0
    checklist: tuple[str, ...] = ()
    roll_call: RollCall | None = None
    report_receivers: tuple[int, ...] = ()


def build_details(details: PlanDetails) -> dict[str, Json]:
    """Turn a plan's details into JSON; :func:`parse_details` reads it back."""
    walker, chosen, call = details.walker, details.selection, details.roll_call
    return {
        "walker": {
            "user_id": walker.user_id,
            "role": None if walker.role is None else walker.role.value,
            "is_roster": walker.is_roster,
        },
        "selection": {
            "area_ids": list(chosen.area_ids),
            "classes": list(chosen.classes),
            "tags": list(chosen.tags),
            "polygon": [list(corner) for corner in chosen.polygon],
        },
        "preset": None if details.preset is None else _build_preset(details.preset),
        "presets": {str(key): _build_preset(one) for key, one in details.presets.items()},
        "random_share": details.random_share,
        "second_share": details.second_share,
        "per_area": details.per_area,
        "within_rounds": details.within_rounds,
        "tolerance_s": details.tolerance_s,
        "clip_s": details.clip_s,
        "checklist": list(details.checklist),
        "roll_call": None
        if call is None
        else {"answer_s": call.answer_s, "spread_s": call.spread_s},
        "report_receivers": list(details.report_receivers),
    }


def parse_details(raw: Mapping[str, Json]) -> PlanDetails:
    """Read stored details; what comes from outside is checked by the API's schema."""
    walker, chosen = _mapping(raw.get("walker")), _mapping(raw.get("selection"))
    role, user, usual = walker.get("role"), walker.get("user_id"), PlanDetails()
    call = raw.get("roll_call")
    preset = raw.get("preset")
    return PlanDetails(
        walker=Walker(
            user_id=None if user is None else int(str(user)),
            role=None if role is None else Role(str(role)),
            is_roster=walker.get("is_roster") is True,
        ),
        selection=Selection(
            area_ids=tuple(int(str(one)) for one in _list(chosen.get("area_ids"))),
            classes=tuple(str(one) for one in _list(chosen.get("classes"))),
            tags=tuple(str(one) for one in _list(chosen.get("tags"))),
            polygon=tuple(_corner(one) for one in _list(chosen.get("polygon"))),
        ),
        preset=_parse_preset(preset) if isinstance(preset, Mapping) else None,
        presets={
            int(key): _parse_preset(_mapping(one))
            for key, one in _mapping(raw.get("presets")).items()
        },
        random_share=float(str(raw.get("random_share", usual.random_share))),
        second_share=float(str(raw.get("second_share", usual.second_share))),
        per_area=int(str(raw.get("per_area", usual.per_area))),
        within_rounds=int(str(raw.get("within_rounds", usual.within_rounds))),
        tolerance_s=int(str(raw.get("tolerance_s", usual.tolerance_s))),
        clip_s=float(str(raw.get("clip_s", usual.clip_s))),
        checklist=tuple(str(one) for one in _list(raw.get("checklist"))),
        roll_call=_parse_call(call) if isinstance(call, Mapping) else None,
        report_receivers=tuple(int(str(one)) for one in _list(raw.get("report_receivers"))),
    )


def _build_preset(one: StopPreset) -> dict[str, Json]:
    return {"preset": one.preset, "home": one.home}


def _parse_preset(raw: Mapping[str, Json]) -> StopPreset:
    return StopPreset(preset=str(raw.get("preset", "")), home=str(raw.get("home", "")))


def _parse_call(raw: Mapping[str, Json]) -> RollCall:
    usual = RollCall()
    return RollCall(
        answer_s=int(str(raw.get("answer_s", usual.answer_s))),
        spread_s=int(str(raw.get("spread_s", usual.spread_s))),
    )


def _corner(raw: Json) -> tuple[float, float]:
    longitude, latitude = (float(str(one)) for one in _list(raw))
    return longitude, latitude


def _mapping(raw: Json) -> Mapping[str, Json]:
    return raw if isinstance(raw, Mapping) else {}


def _list(raw: Json) -> Sequence[Json]:
    return raw if isinstance(raw, list | tuple) else ()
