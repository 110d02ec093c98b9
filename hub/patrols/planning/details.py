"""Which details of a plan are refused, whatever they name. Pure."""

import re
from typing import Final, NoReturn

from hub.domain.access import PERMISSIONS, Permission
from hub.domain.errors import Invalid
from hub.domain.looks import LONGEST_CLIP_S
from hub.domain.patrol_details import PlanDetails, StopPreset
from hub.domain.patrols import MOST_CHECKLIST, PatrolPlan

MOST_LISTED: Final = 1000  # areas, classes, tags, corners: each a list that a person made
MOST_PRESETS: Final = 20_000
MOST_RECEIVERS: Final = 50
LONGEST_ITEM: Final = 200
LONGEST_WORD: Final = 64
# Sent to cameras as it stands: words and numbers, nothing that a shell or a parser would act on.
_PRESET = re.compile(r"[\w .:\-]{1,64}\Z")
_HOME = re.compile(r"[\w .:\-]{0,64}\Z")


def check_details(plan: PatrolPlan) -> None:
    """Refuse details out of their ranges.

    Raises:
        Invalid: names the field.
    """
    details = plan.details
    _check_walker(details)
    _check_selection(details)
    _check_presets(details)
    _check_numbers(details)
    if len(details.checklist) > MOST_CHECKLIST:
        _refuse(f"a checklist has at most {MOST_CHECKLIST} items", "checklist")
    if any(not _is_text(one, LONGEST_ITEM) for one in details.checklist):
        _refuse(f"an item of a checklist has 1 to {LONGEST_ITEM} visible characters", "checklist")
    if len(details.report_receivers) > MOST_RECEIVERS:
        _refuse(f"a report goes to at most {MOST_RECEIVERS} receivers", "report_receivers")
    _check_roll_call(plan)


def _check_walker(details: PlanDetails) -> None:
    walker = details.walker
    named = [walker.user_id is not None, walker.role is not None, walker.is_roster]
    if sum(named) > 1:
        _refuse("a person, a role or the roster walks: name one of them", "walker")
    if walker.role is not None and Permission.OPERATE not in PERMISSIONS[walker.role]:
        _refuse(f"a {walker.role.value} may not walk patrols", "walker")


def _check_selection(details: PlanDetails) -> None:
    chosen = details.selection
    lists = (chosen.area_ids, chosen.classes, chosen.tags, chosen.polygon)
    if any(len(one) > MOST_LISTED for one in lists):
        _refuse(f"a selection lists at most {MOST_LISTED} of a kind", "selection")
    if any(not _is_text(one, LONGEST_WORD) for one in (*chosen.classes, *chosen.tags)):
        _refuse(f"a class or tag has 1 to {LONGEST_WORD} visible characters", "selection")
    if chosen.polygon and len(set(chosen.polygon)) < 3:
        _refuse("an area on the map has at least three different corners", "polygon")
    if any(not (-180 <= x <= 180 and -90 <= y <= 90) for x, y in chosen.polygon):
        _refuse("a corner is a longitude of -180 to 180 and a latitude of -90 to 90", "polygon")


def _check_presets(details: PlanDetails) -> None:
    if len(details.presets) > MOST_PRESETS:
        _refuse(f"a plan names presets of at most {MOST_PRESETS} cameras", "presets")
    named: list[StopPreset] = list(details.presets.values())
    if details.preset is not None:
        named.append(details.preset)
    if any(not _PRESET.match(one.preset) or not _HOME.match(one.home) for one in named):
        _refuse("a preset's name has 1 to 64 letters, digits, spaces or any of _.:-", "presets")


def _check_numbers(details: PlanDetails) -> None:
    if not 0 <= details.random_share <= 1:
        _refuse("a share lies between 0 and 1", "random_share")
    if not 0 <= details.second_share <= 1:
        _refuse("a share lies between 0 and 1", "second_share")
    if not 1 <= details.per_area <= 1000:
        _refuse("1 to 1000 cameras of a village are drawn", "per_area")
    if not 1 <= details.within_rounds <= 366:
        _refuse("a camera is promised within 1 to 366 rounds", "within_rounds")
    if not 0 <= details.tolerance_s <= 86_400:
        _refuse("a stop may be 0 to 86400 seconds off its time", "tolerance_s")
    if not 0 <= details.clip_s <= LONGEST_CLIP_S:
        _refuse(f"a clip lasts at most {LONGEST_CLIP_S:g} seconds", "clip_s")


def _check_roll_call(plan: PatrolPlan) -> None:
    call = plan.details.roll_call
    if call is None:
        return
    if not 10 <= call.answer_s <= 3600:
        _refuse("a duty room has 10 to 3600 seconds to answer", "answer_s")
    if not 0 <= call.spread_s <= 43_200:
        _refuse("duty rooms are asked within 0 to 43200 seconds", "spread_s")
    if plan.lasts_s is not None and call.spread_s >= plan.lasts_s:
        _refuse("the last duty rooms would be asked after the round must be done", "spread_s")


def _is_text(text: str, most: int) -> bool:
    return bool(text.strip()) and len(text) <= most and text.isprintable()


def _refuse(message: str, field: str) -> NoReturn:
    raise Invalid(message, field=field)
