"""`gengfu users`: people and what they may see."""

import os
import secrets
import sys
from typing import Annotated

import typer

from hub.domain.access import Role
from hub.domain.secrets import Secret
from hub.main.console import print_json, print_rows, say
from hub.main.storage import JsonOption, SettingsOption, Store, find_place, with_store
from hub.store import users

users_app = typer.Typer(help="People and their grants.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The name they log in with.")]
RoleOption = Annotated[Role, typer.Option("--role", help="What they may do.")]
AreaOption = Annotated[str, typer.Option("--area", help="Code of the area they may do it in.")]


@users_app.command("list")
def list_people(settings: SettingsOption = None, *, as_json: JsonOption = False) -> None:
    """Everybody, with what they hold."""

    async def work(store: Store) -> list[dict[str, object]]:
        async with store.database.transaction() as tx:
            return [
                {
                    "name": user.name,
                    "display_name": user.display_name,
                    "is_disabled": user.is_disabled,
                    "grants": ", ".join(f"{g.role} in {g.area_path}" for g in user.grants),
                    "created_at": user.created_at,
                }
                for user in await users.list_users(tx, store.scope)
            ]

    rows = with_store(settings, dict(os.environ), work)
    print_rows(
        rows,
        as_json=as_json,
        columns=("name", "display_name", "grants", "is_disabled", "created_at"),
        empty="nobody yet: start the hub once, or add somebody",
    )


@users_app.command("add")
def add_person(
    name: Name,
    role: RoleOption,
    area: AreaOption,
    display_name: Annotated[str, typer.Option(help="What others read.")] = "",
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Add somebody; the password is read from standard input, or made and shown once."""
    given = "" if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    password = Secret(given or secrets.token_urlsafe(12))

    async def work(store: Store) -> None:
        async with store.database.transaction() as tx:
            place = await find_place(tx, store.scope, area)
            number = await users.create_user(
                tx, store.scope, name=name, password=password, display_name=display_name
            )
            await users.add_grant(tx, store.scope, number, role=role, area_id=place.id)

    with_store(settings, dict(os.environ), work)
    shown = None if given else password.reveal()
    if as_json:
        print_json({"name": name, "password": shown})
    else:
        say(f"{name} added as {role} in {area}")
        if shown:
            sys.stdout.write(f"password, shown once: {shown}\n")


@users_app.command("grant")
def grant(
    name: Name,
    role: RoleOption,
    area: AreaOption,
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Give somebody a role in an area and everything below it."""

    async def work(store: Store) -> None:
        async with store.database.transaction() as tx:
            user = await users.find_user(tx, store.scope, name)
            place = await find_place(tx, store.scope, area)
            await users.add_grant(tx, store.scope, user.id, role=role, area_id=place.id)

    with_store(settings, dict(os.environ), work)
    if as_json:
        print_json({"name": name, "role": role, "area": area})
    else:
        say(f"{name} is now {role} in {area}")
