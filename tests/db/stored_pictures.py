"""Cameras in number and checks of their pictures, for the tests of what is stored of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hub.domain.quality import Finding, Index, Mode, PictureCheck, PictureFault, PictureState
from hub.store.database import Database, Transaction
from hub.store.picture_states import KeptCheck, keep_checks
from tests.db.conftest import SYSTEM

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def add_cameras(database: Database, link_id: int, area_id: int, number: int) -> list[int]:
    """Add approved cameras with a channel, many at once."""
    values = {"link": link_id, "area": area_id, "number": number}
    async with database.transaction() as tx:
        rows = await tx.tuples(
            "INSERT INTO devices (connection_id, key, area_id, kind, name, registration)"
            " SELECT %(link)s, 'camera-' || n, %(area)s, 'camera', 'camera ' || n, 'approved'"
            " FROM generate_series(1, %(number)s) n RETURNING id",
            values,
        )
        ids = [int(str(device)) for (device,) in rows]
        await tx.execute(
            "INSERT INTO device_status (device_id, status) SELECT unnest(%(ids)s::bigint[]),"
            " 'online'",
            {"ids": ids},
        )
        await tx.execute(
            "INSERT INTO channels (device_id, key) SELECT unnest(%(ids)s::bigint[]), '1'",
            {"ids": ids},
        )
    return sorted(ids)


async def change(database: Database, statement: str, **values: object) -> None:
    """Run a statement of the test's own."""
    async with database.transaction() as tx:
        await tx.connection.execute(statement.encode(), values)


def check_of(
    scores: Mapping[Index, float], *, threshold: float = 50.0, mode: Mode = Mode.COLOUR
) -> PictureCheck:
    """A check that found these scores."""
    findings = tuple(
        Finding(index=index, score=score, threshold=threshold, why=f"{index} of {score}")
        for index, score in scores.items()
    )
    return PictureCheck(mode=mode, width=1920, height=1080, findings=findings)


def fault_of(since: datetime, score: float = 70.0, why: str = "it is so") -> PictureFault:
    """A fault that was seen twice."""
    return PictureFault(since=since, looks=2, score=score, threshold=50.0, why=why)


def kept(
    device_id: int,
    at: datetime,
    scores: Mapping[Index, float],
    *,
    faults: Mapping[Index, PictureFault] | None = None,
    is_night: bool = False,
    mode: Mode | None = None,
) -> KeptCheck:
    """A check of a camera as the rounds hand it over."""
    check = check_of(scores, mode=mode or (Mode.INFRARED if is_night else Mode.COLOUR))
    state = PictureState(
        device_id=device_id,
        tried_at=at,
        checked_at=at,
        next_at=at + HOUR,
        mode=check.mode,
        width=check.width,
        height=check.height,
        findings=check.findings,
        faults=faults or {},
    )
    return KeptCheck(state=state, at=at, is_night=is_night, check=check)


async def keep(database: Database, *checks: KeptCheck) -> None:
    """Store checks, as the rounds do."""
    async with database.transaction() as tx:
        await keep_checks(tx, SYSTEM, checks)


async def scalar(tx: Transaction, query: str, **values: object) -> object:
    """The one value of a query of the test's own."""
    rows = await tx.connection.execute(query.encode(), values)
    row = await rows.fetchone()
    return None if row is None else row[0]
