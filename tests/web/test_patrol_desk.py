"""What the patrol desk asks for beside rounds and plans: a night's rounds, a month, evidence."""

from pathlib import Path

import httpx

from hub.store.database import Database
from tests.web.patrol_scene import walk_round
from tests.web.stage import World, sign_in
from tests.web.test_patrol_plans import PLANS, body

ROUNDS = "/api/v1/patrol-rounds"


async def test_the_desk_finds_a_night_its_stops_and_what_was_done(
    client: httpx.AsyncClient, world: World, database: Database, tmp_path: Path
) -> None:
    _, number = await walk_round(database, world.east, "east night", tmp_path)
    await sign_in(client, "root-admin")

    async def ask(path: str, **query: object) -> list[dict[str, object]]:
        answer = await client.get(path, params=query)  # type: ignore[arg-type]  # strings and numbers
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    night = {"since": "2026-11-22T00:30:00Z", "until": "2026-11-22T00:31:00Z"}
    assert [one["id"] for one in await ask(ROUNDS, **night)] == [number]
    assert await ask(ROUNDS, since="2026-11-22T00:31:00Z") == []
    assert await ask(ROUNDS, until="2026-11-22T00:30:00Z") == []

    stops = f"{ROUNDS}/{number}/stops"
    assert [one["position"] for one in await ask(stops, verdict="seen", area=world.town)] == [1]
    assert await ask(stops, verdict="not_seen") == []
    assert await ask(stops, area=world.west) == []
    assert await ask(stops, task="true") == []

    kept = (await client.get(f"{ROUNDS}/{number}/evidence")).json()
    assert kept["lines"] >= kept["sealed"]
    assert all(deed["body"] for deed in kept["deeds"])
    await sign_in(client, "east-operator")
    assert (await client.get(f"{ROUNDS}/{number}/evidence")).status_code == 200


async def test_the_coming_month_and_who_can_be_asked(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "root-admin")
    for area, name in ((world.east, "east night"), (world.west, "west night")):
        made = await client.post(
            PLANS, json=body(world, area_id=area, name=name, exceptions=["2026-11-24"])
        )
        assert made.status_code == 201, made.text
        assert made.json()["forecast"]["coming"][0] == "2026-11-22T16:00:00Z"
        assert len(made.json()["forecast"]["cameras"]) == 1
    days = {"since": "2026-11-22T00:00:00Z", "until": "2026-11-24T00:00:00Z"}
    coming = (await client.get(f"{PLANS}/occurrences", params=days)).json()["items"]
    assert [(one["plan_name"], one["is_left_out"]) for one in coming] == [
        ("east night", False),
        ("west night", False),
        ("east night", True),
        ("west night", True),
    ]
    long = {"since": "2026-11-22T00:00:00Z", "until": "2027-11-24T00:00:00Z"}
    assert (await client.get(f"{PLANS}/occurrences", params=long)).status_code == 422
    late = {"since": "9999-12-31T00:00:00Z"}
    assert (await client.get(f"{PLANS}/occurrences", params=late)).status_code == 422

    await sign_in(client, "east-operator")
    coming = (await client.get(f"{PLANS}/occurrences", params=days)).json()["items"]
    assert {one["plan_name"] for one in coming} == {"east night"}
    people = (await client.get(f"/api/v1/areas/{world.east}/operators")).json()["items"]
    assert {one["name"] for one in people} == {"east-admin", "east-operator"}
    assert (await client.get(f"/api/v1/areas/{world.west}/operators")).status_code == 404
