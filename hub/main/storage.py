"""How a command reaches the database: the running hub's, or one started for the command."""

import difflib
import getpass
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer
import uvloop

from config.loader import load_settings
from config.schema import Settings
from hub.domain.access import Scope
from hub.domain.devices import Area
from hub.domain.errors import NotFound
from hub.domain.secrets import Secret
from hub.main.console import reported_errors
from hub.main.servers import configured_database, prepare_data_dir
from hub.runtime.embedded_postgres import EmbeddedPostgres
from hub.runtime.logs import set_up_logs
from hub.store import areas
from hub.store.database import Database, Transaction
from hub.store.migrate import migrate
from hub.store.vault import Vault

T = TypeVar("T")

SHOWN_CODES = 5

SettingsOption = Annotated[
    Path | None,
    typer.Option(
        "--settings", help="Settings file; GENGFU_SETTINGS otherwise.", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An open database and on whose behalf the command works."""

    settings: Settings
    database: Database
    scope: Scope


def read_settings(file: Path | None, environment: dict[str, str], *, level: str = "") -> Settings:
    """Load the settings and set up the logs; raises ConfigError."""
    settings = load_settings(file, environment)
    set_up_logs(level or settings.log.level)
    return settings


def with_store(
    file: Path | None, environment: dict[str, str], work: Callable[[Store], Awaitable[T]]
) -> T:
    """Do a command's work on the database; our errors end the command with a message."""
    with reported_errors():
        settings = read_settings(file, environment, level="warning")
        with database_url(settings) as url:
            return uvloop.run(_work(settings, url, work))


@contextmanager
def database_url(settings: Settings) -> Iterator[Secret]:
    """The database of the settings, the running hub's embedded one, or that one started here."""
    if settings.database.url is not None:
        yield configured_database(settings)
        return
    running = EmbeddedPostgres.find_running(settings.data_dir)
    if running is not None:
        yield running
        return
    with EmbeddedPostgres.start(prepare_data_dir(settings)) as server:
        yield Secret(server.url)


def command_scope() -> Scope:
    """Whoever may read the key file and the database may do everything; the log names them."""
    return Scope(paths=None, actor=f"command line: {getpass.getuser()}")


async def find_place(tx: Transaction, scope: Scope, code: str) -> Area:
    """Return the area with a code; raises NotFound with the codes that come close."""
    try:
        return await areas.find_area(tx, scope, code)
    except NotFound:
        known = [area.code for area in await areas.list_areas(tx, scope)]
        close = difflib.get_close_matches(code, known, n=SHOWN_CODES, cutoff=0.5)
        shown = close or known[:SHOWN_CODES]
        hint = f"there is {', '.join(shown)}" if shown else "start the hub once: it makes the first"
        msg = f"no area has the code {code}: {hint}"
        raise NotFound(msg) from None


async def _work(settings: Settings, url: Secret, work: Callable[[Store], Awaitable[T]]) -> T:
    await migrate(url.reveal())
    database = await Database.open(
        url.reveal(), vault=Vault.open(settings.key_file), max_size=4, name="gengfu command"
    )
    try:
        return await work(Store(settings=settings, database=database, scope=command_scope()))
    finally:
        await database.close()
