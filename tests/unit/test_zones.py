"""What zones are called."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from hub.runtime.zones import browser_zone, zone_name

AT = datetime(2026, 11, 22, tzinfo=UTC)


def test_a_zone_is_called_by_its_name_or_else_by_its_offset() -> None:
    assert zone_name(ZoneInfo("Asia/Shanghai"), AT) == "Asia/Shanghai"
    assert zone_name(timezone(timedelta(hours=8)), AT) == "UTC+0800"
    assert zone_name(UTC, AT) == "UTC"


def test_browsers_are_told_a_zone_that_they_know() -> None:
    assert browser_zone(ZoneInfo("Asia/Shanghai"), AT) == "Asia/Shanghai"
    assert browser_zone(timezone(timedelta(hours=-3, minutes=-30)), AT) == "-03:30"
    assert browser_zone(UTC, AT) == "+00:00"
