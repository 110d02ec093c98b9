"""What a person keeps for himself is his alone, bounded, and safe from his own other window."""

import httpx
import pytest

from hub.store.person_settings import MOST_SETTINGS, MOST_VALUE_BYTES
from tests.web.stage import World, sign_in

VIEWS = "/api/v1/mine/device-view"


@pytest.mark.threat("T1")
async def test_what_a_person_keeps_is_his_alone(client: httpx.AsyncClient, world: World) -> None:
    del world
    await sign_in(client, "east-viewer")
    name = "夜班 <img src=x>"
    first = await client.put(f"{VIEWS}/{name}", json={"value": {"q": "桥"}, "version": 0})
    assert first.status_code == 200, first.text
    assert (first.json()["version"], first.json()["name"]) == (1, name)

    # The other window knew the first version; the second one of two changes is refused.
    assert (await client.put(f"{VIEWS}/{name}", json={"value": {}, "version": 1})).is_success
    late = await client.put(f"{VIEWS}/{name}", json={"value": {"q": "x"}, "version": 1})
    assert late.status_code == 409
    assert (await client.put(f"{VIEWS}/{name}", json={"value": {"q": "y"}})).json()["version"] == 3
    assert (await client.get("/api/v1/mine/wall-layout")).json()["items"] == []

    # Nobody else sees it or takes it away, not even who may do everything.
    await sign_in(client, "root-admin")
    assert (await client.get(VIEWS)).json()["items"] == []
    assert (await client.delete(f"{VIEWS}/{name}")).status_code == 404
    await sign_in(client, "east-viewer")
    (kept,) = (await client.get(VIEWS)).json()["items"]
    assert (kept["value"], kept["version"]) == ({"q": "y"}, 3)
    assert (await client.delete(f"{VIEWS}/{name}")).status_code == 204
    assert (await client.get(VIEWS)).json()["items"] == []


async def test_what_a_person_keeps_is_bounded(client: httpx.AsyncClient, world: World) -> None:
    del world
    await sign_in(client, "east-viewer")
    assert (await client.get("/api/v1/mine/secrets")).status_code == 422
    for name in ("%2e%2e", "%00", "a%0ab", "n" * 65, "%20"):
        assert (await client.put(f"{VIEWS}/{name}", json={"value": {}})).status_code in {
            404,
            405,
            422,
        }
    large = {"value": {"text": "字" * (MOST_VALUE_BYTES // 3)}}
    assert (await client.put(f"{VIEWS}/large", json=large)).status_code == 422
    odd: tuple[object, ...] = ([], "text", None, {"nul": "\x00"})
    for value in odd:
        assert (await client.put(f"{VIEWS}/odd", json={"value": value})).status_code == 422
    for number in range(MOST_SETTINGS):
        assert (await client.put(f"{VIEWS}/{number}", json={"value": {}})).is_success
    assert (await client.put(f"{VIEWS}/more", json={"value": {}})).status_code == 422
    assert (await client.put(f"{VIEWS}/7", json={"value": {"still": True}})).is_success
