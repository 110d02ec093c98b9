"""Looking for devices over the API: where, by whom, with which secrets."""

import httpx
import pytest

from hub.domain.discovery import Find, Login, Survey
from hub.domain.secrets import Credentials, Secret
from hub.store import connections, discoveries, discovery_finds
from hub.store.database import Database
from tests.web.stage import SYSTEM, Field, World, sign_in

LOOKS = "/api/v1/discoveries"


@pytest.mark.threat("T4")
@pytest.mark.threat("T13")
async def test_a_look_stays_in_the_networks_of_the_settings_and_within_a_16(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "east-admin")
    ground = (await client.get(f"{LOOKS}/ground")).json()
    assert [one["network"] for one in ground["networks"]] == ["10.0.0.0/8"]
    for ranges in (
        ["169.254.169.254"],
        ["192.0.2.0/24"],
        ["10.0.0.0/15"],
        ["10.1.0.0/16", "10.2.0.0/29"],
        ["2001:db8::/32"],
        ["::ffff:10.0.0.0/112"],
        ["file:///etc/passwd"],
        [],
    ):
        body = {"area_id": world.east, "ranges": ranges}
        answer = await client.post(LOOKS, json=body)
        assert answer.status_code == 422, (ranges, answer.text)
    good = {"area_id": world.east, "ranges": [" 10.1.0.0/16 "]}
    answer = await client.post(LOOKS, json=good)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["hosts"], answer.json()["state"]) == (65_534, "waiting")
    inside = {"area_id": world.east, "ranges": ["10.1.7.0/24"]}
    assert (await client.post(LOOKS, json=inside)).status_code == 409
    number = answer.json()["id"]
    assert (await client.post(f"{LOOKS}/{number}/cancel")).json()["state"] == "cancelled"
    assert (await client.post(LOOKS, json=inside)).status_code == 201


@pytest.mark.threat("T31")
async def test_credentials_go_in_sealed_and_never_come_out(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    await sign_in(client, "east-admin")
    secret = "a-camera-pass-word"
    body = {
        "area_id": world.east,
        "multicast": True,
        "credentials": [{"username": "admin", "password": secret}],
    }
    answer = await client.post(LOOKS, json=body)
    number = answer.json()["id"]
    texts = [answer.text]
    texts += [(await client.get(path)).text for path in (LOOKS, f"{LOOKS}/{number}")]
    async with database.transaction() as tx:
        kept = await discoveries.credentials_of(tx, SYSTEM, number)
        rows = await tx.tuples(
            "SELECT d::text FROM discovery_credentials d UNION ALL SELECT a::text FROM audit a"
            " UNION ALL SELECT j.args::text FROM procrastinate_jobs j"
        )
    assert kept == (Credentials(username="admin", password=Secret(secret)),)
    assert not [text for text in (*texts, *map(str, rows)) if secret in text]


@pytest.mark.threat("T1")
@pytest.mark.threat("T12")
async def test_finds_become_devices_by_the_rules_of_single_ones(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    async with database.transaction() as tx:
        login = Credentials(username="admin", password=Secret("fits"))
        survey = Survey(is_multicast=True, credentials=[login])
        look = await discoveries.add_discovery(tx, SYSTEM, world.east, survey, now=Field().now)
        finds = [
            _find("10.1.1.1", Login.FITS, 0),
            _find("10.1.1.2", Login.FITS, 0),
            _find("10.1.1.3", Login.REFUSED),
            _find("west-1.test", Login.OPEN),  # registered in the west already
        ]
        await discovery_finds.add_finds(tx, SYSTEM, look.id, finds)
    await sign_in(client, "east-admin")
    shown = (await client.get(f"{LOOKS}/{look.id}/finds")).json()["items"]
    assert [(one["known"], one["device_id"], one["device_name"]) for one in shown] == [
        (False, None, ""), (False, None, ""), (False, None, ""), (True, None, ""),
    ]  # fmt: skip
    chosen: list[dict[str, object]] = [
        {"find_id": one["id"], "name": f"n{at}"} for at, one in enumerate(shown)
    ]
    chosen[1]["area_id"] = world.west
    body = {"area_id": world.east, "tags": ["new"], "finds": chosen}
    path = f"{LOOKS}/{look.id}/add"
    below_west = {**body, "parent_id": world.west_camera}
    assert (await client.post(path, json=below_west)).status_code == 404
    made = (await client.post(path, json=body)).json()["items"]
    assert [bool(one["device_id"]) for one in made] == [True, False, False, False]
    assert [one["problem"] for one in made[1:]] == [
        "no such area",
        "none of the logins that were tried fits: give one",
        "this address is registered already",
    ]
    async with database.transaction() as tx:
        link = await connections.get_connection(tx, SYSTEM, made[0]["connection_id"])
    assert link.credentials == login


async def test_an_address_is_tried_before_it_is_saved(
    client: httpx.AsyncClient, world: World, outside: Field
) -> None:
    await sign_in(client, "east-admin")
    body = {
        "area_id": world.east,
        "protocol": "rtsp",
        "address": "rtsp://u:p@10.1.1.1/main",
    }
    answer = await client.post(f"{LOOKS}/try", json=body)
    assert (answer.json()["ok"], answer.json()["address"]) == (True, "rtsp://10.1.1.1/main")
    assert outside.asked == [("rtsp://10.1.1.1/main", "p")]
    outside.is_camera_away = True
    answer = await client.post(f"{LOOKS}/try", json=body)
    assert answer.json()["failure"] == "DeviceUnreachable"
    for address in ("file:///etc/passwd", "http://10.1.1.1/", "rtsp://a b/"):
        answer = await client.post(f"{LOOKS}/try", json={**body, "address": address})
        assert answer.status_code == 422, address


def _find(host: str, login: Login, credential: int | None = None) -> Find:
    address = f"http://{host}/onvif/device_service"
    return Find(
        host=host, port=80, protocol="onvif", address=address, login=login, credential=credential
    )
