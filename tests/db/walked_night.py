"""A night in a village with two people who walk rounds, and a supervisor, on a real database."""

import json
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.domain.access import Role, Scope
from hub.domain.patrols import Result, Timing
from hub.patrols.evidence import check_record
from hub.patrols.files import PictureFolder
from hub.patrols.walking import person
from hub.patrols.walking.groups import JOB
from hub.patrols.walking.judging import Judgement
from hub.patrols.walking.person import Tools
from hub.runtime.jobs import Jobs
from hub.store import patrol_evidence
from hub.store.database import Database, Transaction
from hub.store.evidence_checks import read_record
from tests.walked_rounds import HUB, Shown, begin_walk, show_stop
from tests.web.stage import World, add_camera, add_person, build_world

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
BLIND = Shown(reason="camera cannot be reached")


@dataclass(slots=True, kw_only=True)
class Night:
    """Five cameras in the eastern village, and two people who may walk them."""

    database: Database
    world: World
    jobs: Jobs
    folder: PictureFolder
    cameras: Sequence[int]
    li: Scope
    wang: Scope
    supervisor: Scope
    now: datetime = NOW

    def tools(self, after_s: float = 0, *, rng: random.Random | None = None) -> Tools:
        now = NOW + timedelta(seconds=after_s)
        return Tools(jobs=self.jobs, now=now, rng=rng or random.Random(1), stops_ahead=1)

    async def begin(self, *, most: int = 5, **changes: object) -> int:
        async with self.database.transaction() as tx:
            cameras = self.cameras[:most]
            return await begin_walk(tx, self.world.east, cameras, NOW, **changes)  # type: ignore[arg-type]  # the caller knows the fields

    async def show(self, round_id: int, shown: dict[int, Shown]) -> str:
        sha = ""
        async with self.database.transaction() as tx:
            for position, one in shown.items():
                sha = await show_stop(tx, self.folder, (round_id, position), one, NOW) or sha
        return sha

    async def groups_asked(self) -> list[str]:
        """The groups for which a job waits, in order."""
        async with self.database.transaction() as tx:
            rows = await tx.tuples(
                "SELECT args->>'group' FROM procrastinate_jobs WHERE task_name = %(name)s"
                " AND status = 'todo' ORDER BY id",
                {"name": JOB},
            )
        return [str(row[0]) for row in rows]

    async def fault(self, round_id: int) -> str | None:
        """What is not as the round's evidence says."""
        async with self.database.transaction() as tx:
            return check_record(await read_record(tx, HUB, round_id))

    async def lines(self, round_id: int) -> list[tuple[str, int | None, dict[str, object]]]:
        async with self.database.transaction() as tx:
            lines = await patrol_evidence.lines_of(tx, HUB, round_id)
        return [(line.what, line.position, json.loads(line.body)) for line in lines]


async def make_night(database: Database, data_dir: Path) -> Night:
    """Two villages, five cameras in the eastern one, its people."""
    world = await build_world(database)
    async with database.transaction() as tx:
        cameras = [(await add_camera(tx, world.east, f"gate-{n}"))[0] for n in range(5)]
        people = [await add_person(tx, name, Role.OPERATOR, world.east) for name in ("li", "wang")]
        boss = await add_person(tx, "chen", Role.SUPERVISOR, world.east)
        await tx.execute("UPDATE users SET display_name = '李伟' WHERE name = 'li'")
    li, wang = (
        Scope(paths=("town.east",), actor=name, user_id=number)
        for name, number in zip(("li", "wang"), people, strict=True)
    )
    return Night(
        database=database,
        world=world,
        jobs=Jobs(database, lambda: NOW),
        folder=PictureFolder(data_dir),
        cameras=cameras,
        li=li,
        wang=wang,
        supervisor=Scope(paths=("town.east",), actor="chen", user_id=boss),
    )


def normal(sha: str) -> Judgement:
    """All is well in this picture."""
    return Judgement(result=Result.NORMAL, picture_sha256=sha)


Deed = Callable[[Transaction], Awaitable[object]]


async def refused(night: Night, error: type[Exception], deed: Deed, says: str = "") -> None:
    with pytest.raises(error, match=says or None):
        async with night.database.transaction() as tx:
            await deed(tx)


async def judge(
    night: Night, walk: int, position: int, said: Judgement, after_s: float
) -> tuple[Result, Timing]:
    async with night.database.transaction() as tx:
        stop = await person.judge(tx, night.li, walk, position, said, night.tools(after_s))
    return stop.result, stop.timing
