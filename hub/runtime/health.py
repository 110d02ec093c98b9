"""Whether this process can do its work: what /readyz answers and `gengfu check` prints."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from hub.domain.errors import StoreUnavailable
from hub.store.database import Database

log = logging.getLogger(__name__)

PING_S = 2.0
ANSWER_S = 10.0

Check = Callable[[], bool | str]
"""True, or a sentence that says what is wrong. Never blocks."""


class HealthWatch:
    """Asks the database now and then, and every part when somebody wants to know."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._trouble: str | None = "not asked yet"
        self._checks: dict[str, Check] = {}

    def add(self, part: str, check: Check) -> None:
        """Make a part's answer count."""
        self._checks[part] = check

    def readiness(self) -> Mapping[str, bool | str]:
        """Part → True or what is wrong with it."""
        database: bool | str = True if self._trouble is None else self._trouble
        return {"database": database, **{part: check() for part, check in self._checks.items()}}

    async def run(self) -> None:
        """Keep asking the database until cancelled; loss is said once, recovery once."""
        while True:
            was_away = self._trouble is not None
            try:
                async with asyncio.timeout(ANSWER_S), self._database.transaction() as tx:
                    await tx.execute("SELECT 1")
                self._trouble = None
                if was_away:
                    log.info("the database answers")
            except (StoreUnavailable, TimeoutError) as error:
                self._trouble = str(error) or f"no answer within {ANSWER_S:g} s"
                if not was_away:
                    log.warning("the database is away: %s", self._trouble)
            await asyncio.sleep(PING_S)
