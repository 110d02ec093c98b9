"""The command line. Results go to standard output, everything else to standard error."""

import sys

import typer

from hub.main import (
    cli_alerts,
    cli_api,
    cli_hub,
    cli_inventory,
    cli_patrol_reports,
    cli_patrols,
    cli_people,
    cli_quality,
    cli_reports,
    cli_rules,
)

app = typer.Typer(
    name="gengfu",
    help="Gengfu 更夫: cameras, sensors, alerts and the midnight video patrol.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(cli_hub.run)
app.command("demo")(cli_hub.demo)
app.command("check")(cli_hub.check)
app.command("migrate")(cli_hub.migrate_database)
app.command("simulate")(cli_hub.simulate)
app.command("openapi")(cli_api.openapi)
app.command("discover")(cli_inventory.discover)
app.add_typer(cli_inventory.areas_app, name="areas")
app.add_typer(cli_inventory.devices_app, name="devices")
app.add_typer(cli_people.users_app, name="users")
cli_patrols.patrols_app.add_typer(cli_patrol_reports.patrol_report_app, name="report")
app.add_typer(cli_patrols.patrols_app, name="patrols")
app.add_typer(cli_reports.report_app, name="report")
app.add_typer(cli_rules.rules_app, name="rules")
app.add_typer(cli_alerts.alerts_app, name="alerts")
app.add_typer(cli_alerts.silences_app, name="silences")
app.add_typer(cli_quality.quality_app, name="quality")


def entry() -> None:
    """Start: what the console script calls."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    app()


if __name__ == "__main__":
    entry()
