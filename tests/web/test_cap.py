"""An alert for other systems."""

from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from alerts.telling.cap import NAMESPACE
from hub.store.database import Database
from tests.web.history import fill_west
from tests.web.stage import JPEG, World, sign_in


@pytest.mark.threat("T1")
async def test_the_export_and_the_picture_of_an_alert(
    client: httpx.AsyncClient, world: World, database: Database, tmp_path: Path
) -> None:
    history = await fill_west(database, world, tmp_path)
    path = f"/api/v1/alerts/{history.alert}"
    await sign_in(client, "east-viewer")
    for part in ("cap", "picture"):
        assert (await client.get(f"{path}/{part}")).status_code == 404
    await sign_in(client, "root-admin")
    answer = await client.get(f"{path}/cap")
    assert answer.headers["content-type"] == "application/cap+xml"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "attachment" in answer.headers["content-disposition"]
    root = ET.fromstring(answer.content)  # noqa: S314 - our own bytes
    said = {name: root.findtext(name, "", {"": NAMESPACE}) for name in ("status", "scope")}
    assert said == {"status": "Actual", "scope": "Restricted"}
    assert "<scope>Public</scope>" in (await client.get(f"{path}/cap?scope=Public")).text
    assert (await client.get(f"{path}/cap?scope=Everyone")).status_code == 422
    assert (await client.get(f"{path}/picture")).content == JPEG
    log = (await client.get("/api/v1/audit")).text
    assert log.count("alert.picture_looked_at") == 1
