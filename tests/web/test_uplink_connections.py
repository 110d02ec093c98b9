"""Uplinks over the API, and rules about what is degraded."""

import httpx
import pytest

from tests.web.stage import World, sign_in


@pytest.mark.threat("T3")
@pytest.mark.parametrize(
    ("address", "stored"),
    [
        ("tcp://10.0.0.1:22", "tcp://10.0.0.1:22"),
        ("passive://Uplink-7", "passive://uplink-7"),
        ("rtsp://10.0.0.1/main", None),
        ("tcp://10.0.0.1", None),
        ("tcp://admin:hush@10.0.0.1:22", None),
    ],
)
async def test_an_uplink_has_a_port_or_a_label(
    client: httpx.AsyncClient, world: World, address: str, stored: str | None
) -> None:
    await sign_in(client, "root-admin")
    body = {"protocol": "uplink", "name": "Uplink 7", "area_id": world.east, "address": address}
    answer = await client.post("/api/v1/connections", json=body)
    assert answer.status_code == (422 if stored is None else 201)
    assert answer.json().get("address") == stored
    assert "hush" not in answer.text


async def test_a_rule_about_layers_is_kept_as_it_was_given(
    client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "root-admin")
    condition = {"type": "device_degraded", "layers": ["frames", "stream"], "for_s": 60}
    body = {"name": "no picture", "area_id": world.east, "condition": condition}
    made = await client.post("/api/v1/rules", json=body)
    assert made.status_code == 201
    assert made.json()["condition"] == {**condition, "device_kinds": [], "clear_for_s": 0}
    condition["layers"] = ["network"]
    refused = await client.post("/api/v1/rules", json=body)
    assert refused.status_code == 422
