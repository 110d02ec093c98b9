"""A device file is looked at as rows, and imported whole or not at all."""

import httpx
import pytest

from tests.web.stage import World, sign_in

DEVICES = "/api/v1/inventory/devices"
CSV = {"Content-Type": "text/csv"}


@pytest.mark.threat("T12")
async def test_a_file_is_shown_as_it_stands_and_goes_in_whole_or_not(
    client: httpx.AsyncClient, world: World
) -> None:
    good = "东门,rtsp,rtsp://10.1.0.1/,east,,密1\n"
    bad = '"<img src=x>",exec,exec:reboot,east,,密2\n'
    head = "名称,接入协议,接入地址,所属区划,颜色,密码\n"
    content = (head + good + "\n" + bad).encode("gb18030")
    await sign_in(client, "east-viewer")
    refused = await client.post(f"{DEVICES}/preview", content=content, headers=CSV)
    assert refused.status_code == 403
    await sign_in(client, "east-admin")
    seen = (await client.post(f"{DEVICES}/preview", content=content, headers=CSV)).json()
    assert seen["encoding"] == "gb18030"
    assert [one["name"] for one in seen["headings"]] == [
        "name", "protocol", "address", "area", "", "password",
    ]  # fmt: skip
    assert [(row["line"], row["cells"][0]) for row in seen["rows"]] == [
        (2, "东门"),
        (4, "<img src=x>"),
    ]
    assert seen["total"] == 2
    assert {"name": "mac", "chinese": "MAC地址", "shown": False} in seen["known"]

    mended = content.decode("gb18030").replace(",颜色", "").replace("east,,", "east,").encode()
    whole = {"whole": "true"}
    answer = await client.post(DEVICES, content=mended, headers=CSV, params=whole)
    said = answer.json()
    assert (said["new"], said["refused_rows"], said["dry_run"]) == (1, 1, True)
    assert [one["name"] for one in (await client.get("/api/v1/devices")).json()["items"]] == [
        "east-1"
    ]
    alone = mended.replace(bad.replace("east,,", "east,").encode(), b"")
    said = (await client.post(DEVICES, content=alone, headers=CSV, params=whole)).json()
    assert (said["new"], said["dry_run"]) == (1, False)
