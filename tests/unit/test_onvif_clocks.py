"""Camera clocks, also those that were never set."""

from datetime import UTC, datetime

import pytest

from adapters.onvif.clocks import parse_date_and_time, parse_time
from adapters.onvif.documents import parse_tree


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T01:02:03Z", datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)),
        ("2026-11-22T01:02:03", datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)),
        ("2026-11-22T01:02:03.5Z", datetime(2026, 11, 22, 1, 2, 3, 500000, tzinfo=UTC)),
        ("2026-11-22T09:02:03+08:00", datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)),
        ("2026-11-21T20:32:03-04:30", datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)),
        ("2026-11-22 01:02:03", datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)),
        ("2023-05-15T-07:10:32Z", datetime(2023, 5, 15, 7, 10, 32, tzinfo=UTC)),
        ("2024-08-17T00:61:16Z", datetime(2024, 8, 17, 1, 1, 16, tzinfo=UTC)),
        ("2024-12-31T24:00:00Z", datetime(2025, 1, 1, tzinfo=UTC)),
        ("0000-00-00T00:00:00Z", None),  # Hikvision before its clock is set
        ("2026-00-22T01:02:03Z", None),
        ("2026-02-30T01:02:03Z", None),
        ("9999-12-31T23:99:99Z", None),
        ("yesterday", None),
        ("", None),
        ("٢٠٢٦-11-22T01:02:03Z", None),
    ],
)
def test_time_stamps(text: str, moment: datetime | None) -> None:
    assert parse_time(text) == moment


def _clock(year: str, month: str, hour: str = "1") -> str:
    return (
        "<r><LocalDateTime><Date><Year>1999</Year></Date></LocalDateTime><UTCDateTime><Time>"
        f"<Hour>{hour}</Hour><Minute>2</Minute><Second>3</Second></Time><Date><Year>{year}</Year>"
        f"<Month>{month}</Month><Day>22</Day></Date></UTCDateTime></r>"
    )


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (_clock("2026", "11"), datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)),
        (_clock("2026", "0"), None),
        (_clock("0", "0"), None),
        (_clock("2026", "-1"), None),
        (_clock("9999", "12"), None),
        (_clock("99999999999999", "1"), None),
        (_clock("2026", "11", hour=""), None),
        ("<r/>", None),
    ],
)
def test_system_date_and_time(text: str, moment: datetime | None) -> None:
    assert parse_date_and_time(parse_tree(text)) == moment
