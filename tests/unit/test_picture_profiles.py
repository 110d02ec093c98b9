"""Which thresholds apply to which camera; what is said of its picture."""

from datetime import UTC, datetime

from hub.domain.errors import DeviceUnreachable
from hub.domain.quality import Index, PictureFault, Profile
from hub.domain.quality_profiles import DAY, NIGHT
from hub.maintenance.pictures.profiles import BUILT_IN, Chosen, ProfileTable
from hub.maintenance.pictures.wording import NAMES, fault_sentence, unseen_sentence
from hub.store.picture_assignments import Assignment

VILLAGE = "county.town.village"
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def profile(number: int, **scores: float | None) -> Profile:
    thresholds = {Index(name): score for name, score in scores.items()}
    return Profile(id=number, name=f"profile {number}", area_id=1, thresholds=thresholds)


def placed(
    area_path: str, day_id: int, night_id: int, *, kind: str = "", device_id: int | None = None
) -> Assignment:
    return Assignment(
        area_path=area_path,
        device_class=kind,
        device_id=device_id,
        day_id=day_id,
        night_id=night_id,
    )


PROFILES = [profile(n, blur=float(n)) for n in range(1, 8)]


def test_without_assignments_the_built_in_profiles_apply() -> None:
    assert ProfileTable().of(1, VILLAGE, "gate") is BUILT_IN
    assert BUILT_IN.of(is_night=False) == DAY
    assert BUILT_IN.of(is_night=True) == NIGHT


def test_the_most_particular_assignment_wins_as_a_whole() -> None:
    table = ProfileTable(
        [
            placed("county", 1, 1),
            placed("county.town", 2, 3),
            placed("county", 4, 4, kind="gate"),
            placed("elsewhere", 5, 6, device_id=7),
        ],
        PROFILES,
    )

    def blur_of(device_id: int, path: str, kind: str) -> tuple[float | None, float | None]:
        chosen = table.of(device_id, path, kind)
        return chosen.day[Index.BLUR], chosen.night[Index.BLUR]

    assert blur_of(1, VILLAGE, "") == (2, 3)
    assert blur_of(1, "county.other", "") == (1, 1)
    assert blur_of(1, VILLAGE, "gate") == (4, 4), "its class far above wins over a near one for all"
    assert blur_of(7, VILLAGE, "gate") == (5, 6)
    assert blur_of(1, "county2", "") == (50, 50), "a code that only begins alike is another area"


def test_what_a_profile_does_not_name_is_built_in_and_null_is_not_judged() -> None:
    rows = [placed("county", 8, 9)]
    table = ProfileTable(rows, [profile(8, blur=None), profile(9, blur=None, jitter=None)])
    chosen = table.of(1, "county", "")
    assert chosen.day == {**DAY, Index.BLUR: None}
    assert chosen.night[Index.DARK] == NIGHT[Index.DARK]
    assert Index.BLUR not in chosen.judged
    assert Index.JITTER in chosen.judged, "by day it is"


def test_a_profile_that_went_meanwhile_is_no_defect() -> None:
    assert ProfileTable([placed("county", 98, 99)], []).of(1, "county", "") == Chosen(
        day=DAY, night=NIGHT
    )


def fault(why: str) -> PictureFault:
    return PictureFault(since=NOON, looks=2, score=80, threshold=50, why=why)


def test_the_sentence_names_the_worst_first_and_the_others() -> None:
    assert fault_sentence({}) == ""
    assert fault_sentence({Index.BLUR: fault("")}) == "out of focus"
    faults = {Index.NOISE: fault("n"), Index.BLUR: fault("b"), Index.OCCLUSION: fault("40 % gone")}
    assert fault_sentence(faults) == "covered: 40 % gone; also out of focus, noise"
    assert NAMES.keys() == set(Index)


def test_an_unseen_picture_has_one_plain_sentence() -> None:
    assert unseen_sentence(DeviceUnreachable("network:\n no  route")) == "network: no route"
    assert unseen_sentence(DeviceUnreachable("")) == "the camera gave no picture"
    assert len(unseen_sentence(DeviceUnreachable("x" * 9_999))) == 300
