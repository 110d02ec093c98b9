"""A camera's picture turns bad, through everything: wire, judges, rounds, alerts, evidence, API."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hub.simulators.faults import Fault
from tests.system.village_site import LOGIN, Site, everything_reports, run_site, until

# Rounds follow each other closely, and a second look comes soon.
HASTE = {"GENGFU_PICTURES__INTERVAL_S": "5", "GENGFU_PICTURES__CONFIRM_AFTER_S": "1"}

Luma = NDArray[np.uint8]
RULE = "Picture faulty"
FAULT, MENDED = "picture.fault", "picture.mended"


@pytest.mark.timeout(200)
async def test_a_bad_picture_is_a_fact_with_evidence_until_it_is_mended(
    timescaledb_database_url: str, tmp_path: Path
) -> None:
    async with run_site(
        timescaledb_database_url, tmp_path, cameras=3, sensors=0, settings=HASTE
    ) as site:
        await everything_reports(site)
        black, covered, whole = site.village.cameras.values()
        await until("all judged", judged(site), within_s=30)
        for camera in (black, covered, whole):
            assert await faults_of(site, camera.name) == set()
            assert (await evidence_of(site, camera.name, "good")).mean() > 90
            # Somebody looks and says: this is what the camera should show.
            number = (await device(site, camera.name))["id"]
            await site.post(f"devices/{number}/picture/baseline", {"accept": True})

        await black.set_fault(Fault.BLACK_PICTURE)
        await covered.set_fault(Fault.COVERED_LENS)
        for camera, index in ((black, "signal_loss"), (covered, "occlusion")):
            await until(index, has_fault(site, camera.name, index), within_s=60)
            await until("alert", firing(site, camera.name), within_s=20)
            shown = await device(site, camera.name)
            assert (shown["status"], shown["layer"]) == ("degraded", "picture")
            data = await data_of(site, camera.name, index)
            assert data["score"] >= data["threshold"]
            assert data["why"]
        assert (await evidence_of(site, black.name, "bad")).mean() < 2
        good, bad = [await evidence_of(site, covered.name, which) for which in ("good", "bad")]
        # Measured over 40 scenes: live pictures of one scene differ by 0.04 at the most, and have
        # the same detail within 1 %; behind the cover 0.36 and more differs, and 0.41 is left.
        assert (cv2.absdiff(good, bad) > 20).mean() > 0.3
        assert detail(bad) / detail(good) < 0.5

        await black.clear_fault()
        await covered.clear_fault()
        for camera in (black, covered):
            await until("mended", nothing_wrong(site, camera.name), within_s=60)
        await until("resolved", nothing_fires(site), within_s=20)
        over = await site.items("events", kind=MENDED)
        told = {(event["device_name"], event["data"]["index"]) for event in over}
        assert told >= {(black.name, "signal_loss"), (covered.name, "occlusion")}
        assert whole.name not in {event["device_name"] for event in over}
        assert await faults_of(site, whole.name) == set()
        assert LOGIN.password.reveal() not in site.hub.log_text


async def device(site: Site, name: str) -> dict[str, Any]:
    (line,) = [line for line in await site.items("devices") if line["name"] == name]
    return line


async def data_of(site: Site, name: str, index: str) -> dict[str, Any]:
    """What the one event says by which a fault began."""
    events = await site.items("events", kind=FAULT)
    (data,) = [
        event["data"]
        for event in events
        if event["device_name"] == name and event["data"]["index"] == index
    ]
    found: dict[str, Any] = data
    return found


async def picture_of(site: Site, name: str) -> dict[str, Any]:
    answer = await site.api.get(f"devices/{(await device(site, name))['id']}/picture")
    answer.raise_for_status()
    picture: dict[str, Any] = answer.json()
    return picture


async def faults_of(site: Site, name: str) -> set[str]:
    return {fault["index"] for fault in (await picture_of(site, name))["faults"]}


async def evidence_of(site: Site, name: str, which: str) -> Luma:
    """A picture that is kept."""
    answer = await site.api.get(f"devices/{(await device(site, name))['id']}/picture/{which}.jpg")
    answer.raise_for_status()
    assert answer.headers["content-type"] == "image/jpeg"
    frame = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert frame is not None
    assert frame.shape == (360, 640)
    return frame.astype(np.uint8)


def detail(picture: Luma) -> float:
    """How much there is of contours; the grain of the sensor smoothed away."""
    smooth = cv2.GaussianBlur(picture, (0, 0), 3)
    return float(np.abs(cv2.Laplacian(smooth, cv2.CV_32F)).mean())


def judged(site: Site) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        names = [camera.name for camera in site.village.cameras.values()]
        return all([(await picture_of(site, name))["checked_at"] for name in names])

    return check


def has_fault(site: Site, name: str, index: str) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return index in await faults_of(site, name)

    return check


def nothing_wrong(site: Site, name: str) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return not await faults_of(site, name) and (await device(site, name))["status"] == "online"

    return check


def firing(site: Site, name: str) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return any(
            alert["rule_name"].startswith(RULE) and alert["device_name"] == name
            for alert in await site.items("alerts", status="firing")
        )

    return check


def nothing_fires(site: Site) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return not await site.items("alerts", status="firing")

    return check
