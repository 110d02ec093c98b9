"""`gengfu run`, `demo`, `check`, `migrate`: the hub itself."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop

from hub.main import simulation
from hub.main.checkup import check_files, check_paper, check_servers
from hub.main.console import Exit, as_row, print_json, print_rows, reported_errors, say
from hub.main.roles import ALL_ROLES, ProcessRole
from hub.main.servers import open_servers
from hub.main.storage import JsonOption, SettingsOption, database_url, read_settings
from hub.store.migrate import migrate

if TYPE_CHECKING:
    from hub.main.running import Started

RoleOption = Annotated[
    list[ProcessRole] | None,
    typer.Option("--role", help="Run only these parts in this process; all by default."),
]


def run(roles: RoleOption = None, settings: SettingsOption = None) -> None:
    """Run the hub until Ctrl-C; embedded database and broker unless the settings name others."""
    # All of the hub takes a second to load, which short commands do without.
    from hub.main.running import run_process  # noqa: PLC0415

    with reported_errors():
        loaded = read_settings(settings, dict(os.environ))
        chosen = frozenset(roles) if roles else ALL_ROLES
        with open_servers(loaded) as servers:
            uvloop.run(run_process(loaded, servers, chosen, _announce))


def demo(
    cameras: Annotated[int, typer.Option(min=1, max=250, help="Simulated cameras.")] = 6,
    sensors: Annotated[int, typer.Option(min=0, max=1000, help="Simulated stations.")] = 8,
    settings: SettingsOption = None,
) -> None:
    """Run the hub with a simulated village: cameras and sensors that speak the real protocols."""
    from hub.main.demo import Demo, demo_settings  # noqa: PLC0415 - see run
    from hub.main.running import run_process  # noqa: PLC0415 - see run

    with reported_errors():
        loaded = demo_settings(read_settings(settings, dict(os.environ), level="warning"))
        with open_servers(loaded) as servers:
            village = Demo(loaded, servers, cameras=cameras, sensors=sensors)
            with village.simulators():

                async def ready(started: "Started") -> None:
                    await _announce(started)
                    await village.settle(started)

                uvloop.run(run_process(loaded, servers, ALL_ROLES, ready, approve_unknown=True))


def check(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """Look at everything the hub needs, and say what is missing and what to do."""
    with reported_errors():
        loaded = read_settings(settings, dict(os.environ), level="error")
        findings = [*check_files(loaded), check_paper(), *check_servers(loaded)]
    rows = [{**as_row(one), "state": "good" if one.is_good else "BAD"} for one in findings]
    print_rows(rows, as_json=as_json, columns=("part", "state", "found"), empty="")
    if not all(one.is_good for one in findings):
        raise typer.Exit(Exit.FAILED)


def migrate_database(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """Bring the database's tables up to date; `gengfu run` does it too."""
    with reported_errors():
        loaded = read_settings(settings, dict(os.environ), level="warning")
        with database_url(loaded) as url:
            applied = uvloop.run(migrate(url.reveal()))
    if as_json:
        print_json({"applied": applied})
    else:
        say(f"applied: {', '.join(applied)}" if applied else "the database is up to date")


simulate = simulation.simulate


async def _announce(started: "Started") -> None:
    """Say where the console is, and the first administrator's password once."""
    lines = ["", "  Gengfu is running 更夫已启动"]
    if started.address:
        lines.append(f"  console  控制台  {started.address}")
    if started.first_password is not None:
        lines.append("  user     用户    admin")
        lines.append(
            f"  password 密码    {started.first_password.reveal()}   (shown once 仅显示一次)"
        )
    sys.stdout.write("\n".join([*lines, "", ""]))
    sys.stdout.flush()
