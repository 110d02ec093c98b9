"""Which silences cover an alert, and what silences and a snooze come to together."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.handling.quieting import warn_about
from alerts.telling.silencing import SilenceIndex, count_covered, decide_quiet
from hub.domain.events import Severity
from hub.domain.matchers import AlertFacts, Matcher
from hub.domain.silences import Silence, SilenceState
from hub.store.alert_quiet import Quiet, QuietState

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def silence(number: int, path: str = "c", hours: float = 1, **matcher: object) -> Silence:
    return Silence(
        id=number,
        area_id=1,
        area_path=path,
        area_name="County",
        matcher=Matcher(**matcher),  # type: ignore[arg-type]  # named by each test
        reason="cables",
        starts_at=NOW,
        ends_at=NOW + hours * HOUR,
    )


def facts(path: str = "c.north", **more: object) -> AlertFacts:
    values: dict[str, object] = {
        "alert_id": 1,
        "rule_id": 7,
        "severity": Severity.WARNING,
        "area_id": 2,
        "area_path": path,
        "device_id": 5,
        "device_class": "road",
        "tags": frozenset({"pole", "north"}),
    }
    return AlertFacts(**{**values, **more})  # type: ignore[arg-type]  # named by each test


@pytest.mark.parametrize(
    ("silences", "last"),
    [
        ([], None),
        ([silence(1)], 1),
        ([silence(1, "c.north")], 1),
        ([silence(1, "c.north.a")], None),  # below the alert's place
        ([silence(1, "c.n")], None),  # the beginning of a name is no area above
        ([silence(1, "c.south"), silence(2, "d")], None),
        ([silence(1, hours=3), silence(2, "c.north", hours=2)], 1),
        ([silence(1, hours=1), silence(2, "c.north", hours=2)], 2),
        ([silence(1), silence(2)], 1),
        ([silence(1, severities=(Severity.CRITICAL,), hours=9), silence(2)], 2),
        ([silence(1, severities=(Severity.INFO, Severity.WARNING))], 1),
        ([silence(1, rule_ids=(7,), device_ids=(5, 6), classes=("road",), tags=("pole",))], 1),
        ([silence(1, rule_ids=(8,))], None),
        ([silence(1, device_ids=(6,))], None),
        ([silence(1, classes=("school",))], None),
        ([silence(1, tags=("south",))], None),
    ],
)
def test_the_last_to_end_of_those_that_cover_an_alert(
    silences: list[Silence], last: int | None
) -> None:
    found = SilenceIndex(silences).find_last(facts())
    assert (None if found is None else found.id) == last


def test_what_is_about_a_place_matches_no_device() -> None:
    place = facts(device_id=None, device_class="", tags=frozenset())
    asked = [silence(1, device_ids=(5,)), silence(2, tags=("pole",)), silence(3, classes=("",))]
    assert count_covered([*asked, silence(4)], [place]) == {1: 0, 2: 0, 3: 1, 4: 1}


@pytest.mark.parametrize(
    ("silenced", "snoozed", "was", "until", "reason"),
    [
        (None, None, None, None, ""),
        (2.0, None, None, 2.0, "silenced"),
        (None, 2.0, None, 2.0, "snoozed by wang"),
        (1.0, 2.0, 3.0, 2.0, "snoozed by wang"),
        (2.0, 1.0, 1.0, 2.0, "silenced"),
        (None, -1.0, -1.0, -1.0, "before"),  # over, and not yet dealt with
        (None, None, 3.0, 0.0, "before"),  # what kept it quiet is gone: due now
        (None, -1.0, 3.0, 0.0, "before"),
        (1.0, -1.0, 3.0, 1.0, "silenced"),
    ],
)
def test_silences_and_a_snooze_come_to_one_end(
    silenced: float | None,
    snoozed: float | None,
    was: float | None,
    until: float | None,
    reason: str,
) -> None:
    def at(hours: float | None) -> datetime | None:
        return None if hours is None else NOW + hours * HOUR

    state = QuietState(
        alert_id=1,
        quiet_until=at(was),
        quiet_reason="before",
        snoozed_until=at(snoozed),
        snoozed_by="wang",
    )
    end = at(silenced)
    held = None if end is None else Quiet(alert_id=1, until=end, reason="silenced")
    decided = decide_quiet(state, held, NOW)
    assert (None if decided is None else decided.until) == at(until)
    assert ("" if decided is None else decided.reason) == reason


@pytest.mark.parametrize(
    ("starts", "ends", "state", "is_expiring"),
    [
        (1.0, 2.0, SilenceState.PENDING, False),
        (0.0, 2.0, SilenceState.ACTIVE, False),
        (-1.0, 1.0, SilenceState.ACTIVE, True),
        (-1.0, 0.0, SilenceState.EXPIRED, False),
        (1.0, 1.0, SilenceState.EXPIRED, False),  # taken back before it began
    ],
)
def test_where_a_silence_stands(
    starts: float, ends: float, state: SilenceState, *, is_expiring: bool
) -> None:
    one = Silence(area_id=1, reason="x", starts_at=NOW + starts * HOUR, ends_at=NOW + ends * HOUR)
    assert (one.state(NOW), one.is_expiring(NOW)) == (state, is_expiring)


@pytest.mark.parametrize(
    ("wanted", "is_warned"),
    [
        (silence(1), True),
        (silence(1, severities=tuple(Severity)), True),
        (silence(1, severities=(Severity.INFO,)), False),
        (silence(1, tags=("pole",)), False),
        (silence(1, severities=tuple(Severity), rule_ids=(1,)), False),
    ],
)
def test_a_silence_of_everything_is_warned_of(wanted: Silence, *, is_warned: bool) -> None:
    assert bool(warn_about(wanted)) == is_warned
    assert ("County" in warn_about(wanted)) == is_warned
