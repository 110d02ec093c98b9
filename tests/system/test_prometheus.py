"""Monitoring as shipped: a real Prometheus reads a real hub, and every panel shows data.

The rules are tried by promtool; the dashboard is held to what Grafana needs to load it.
"""

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.conftest import missing
from tests.system.village_site import everything_reports, run_site, until
from tests.system.whole_hub import ROOT

MONITORING = ROOT / "deploy" / "prometheus"
GRAFANA = ROOT / "deploy" / "grafana"
# What Grafana would put in for a scrape every second.
RATE_INTERVAL = "1m"
GRID_WIDTH = 24


def find_program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not installed")
    return str(path)


async def run_promtool(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        find_program("promtool"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    return said


def read_dashboard() -> dict[str, Any]:
    path = GRAFANA / "dashboards" / "gengfu.json"
    board: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return board


def expressions() -> Iterator[tuple[str, str]]:
    """(panel, expression), as Prometheus gets them."""
    for panel in read_dashboard()["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", RATE_INTERVAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prometheus:
    """A running one and its API."""

    api: httpx.AsyncClient

    async def query(self, expression: str) -> list[dict[str, Any]]:
        answer = await self.api.get("query", params={"query": expression})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found


def write_settings(folder: Path, hub: str) -> None:
    """The shipped ones, but for the hub's address and a shorter interval."""
    folder.mkdir()
    settings = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))
    settings["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (job,) = settings["scrape_configs"]
    job["static_configs"] = [{"targets": [hub.removeprefix("http://")]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    shutil.copy(MONITORING / "gengfu.rules.yml", folder)


@asynccontextmanager
async def run_prometheus(folder: Path, hub: str) -> AsyncIterator[Prometheus]:
    """A Prometheus with its data in a new folder; it ends with the block."""
    write_settings(folder, hub)
    log = folder / "prometheus.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            find_program("prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--web.listen-address=127.0.0.1:0",
            cwd=folder,
            env={"PATH": os.environ["PATH"]},
            stdout=out,
            stderr=out,
        )

    async def find_address() -> str:
        found = re.search(r'"Listening on" address=(\S+)', log.read_text(errors="replace"))
        return found[1] if found else ""

    try:
        await until("prometheus listens", find_address, within_s=30)
        base = f"http://{await find_address()}/api/v1/"
        async with httpx.AsyncClient(base_url=base, timeout=20) as api:
            yield Prometheus(api=api)
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.timeout(280)
async def test_every_panel_shows_data_of_a_running_hub(
    timescaledb_database_url: str, tmp_path: Path
) -> None:
    find_program("prometheus")
    async with (
        run_site(timescaledb_database_url, tmp_path, cameras=2, sensors=1) as site,
        run_prometheus(tmp_path / "prometheus", site.hub.address) as prometheus,
    ):
        await everything_reports(site)
        for title, expression in expressions():

            async def has_numbers(expression: str = expression) -> bool:
                found = await prometheus.query(expression)
                return any(one["value"][1] != "NaN" for one in found)

            await until(f"{title}: {expression}", has_numbers, within_s=90)
        online = 'sum(gengfu_devices{area="330402001",status="online"})'

        async def counts_cameras() -> bool:
            found = await prometheus.query(online)
            return bool(found) and float(found[0]["value"][1]) == len(site.village.cameras)

        await until("cameras of the village", counts_cameras, within_s=30)
        (line,) = await prometheus.query('gengfu_devices{area="330402001",status="online"}')
        assert line["metric"]["area_name"] == "青龙村"
        groups = (await prometheus.api.get("rules")).json()["data"]["groups"]
        health = {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}
        assert len(health) >= 5
        assert set(health.values()) == {"ok"}
        alerts = (await prometheus.api.get("alerts")).json()["data"]["alerts"]
        assert [one for one in alerts if one["state"] == "firing"] == []


async def test_settings_and_rules_are_valid() -> None:
    await run_promtool("check", "config", str(MONITORING / "prometheus.yml"))
    await run_promtool("check", "rules", str(MONITORING / "gengfu.rules.yml"))


async def test_rules_fire_when_they_should_and_not_before(tmp_path: Path) -> None:
    share = 'gengfu_devices{area="330402001", area_name="East", status="%s", instance="a"}'
    series = {
        'up{job="gengfu", instance="a"}': "1x10 0x10",
        'gengfu_database_up{instance="a"}': "1x10 0x10",
        'gengfu_probe_late_seconds{instance="a"}': "1x10 45x10",
        share % "online": "95+0x10 90+0x60",
        share % "offline": "5+0x10 10+0x60",
        share % "maintenance": "50+0x70",
    }
    cases = {"9m": [], "14m": ["GengfuDown", "GengfuDatabaseAway", "GengfuProbesLate"]}
    cases["50m"] = ["GengfuAreaOnlineLow"]
    names = {rule for expected in cases.values() for rule in expected}
    labels = {
        "GengfuDown": {"severity": "critical", "job": "gengfu", "instance": "a"},
        "GengfuDatabaseAway": {"severity": "critical", "instance": "a"},
        "GengfuProbesLate": {"severity": "warning", "instance": "a"},
        "GengfuAreaOnlineLow": {
            "severity": "warning", "area": "330402001", "area_name": "East",
        },
    }  # fmt: skip
    annotations = {
        rule["alert"]: rule["annotations"]
        for group in yaml.safe_load((MONITORING / "gengfu.rules.yml").read_text())["groups"]
        for rule in group["rules"]
    }
    values = {"GengfuProbesLate": "45s", "GengfuAreaOnlineLow": "90%"}

    def expected(rule: str) -> dict[str, object]:
        texts = {
            name: re.sub(r"\{\{ \$value[^}]*\}\}", values.get(rule, ""), text)
            .replace("{{ $labels.instance }}", "a")
            .replace("{{ $labels.area_name }}", "East")
            .replace("{{ $labels.area }}", "330402001")
            for name, text in annotations[rule].items()
        }
        return {"exp_labels": labels[rule], "exp_annotations": texts}

    test = {
        "rule_files": [str(MONITORING / "gengfu.rules.yml")],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": s, "values": v} for s, v in series.items()],
                "alert_rule_test": [
                    {
                        "eval_time": at,
                        "alertname": rule,
                        "exp_alerts": [expected(rule)] if rule in firing else [],
                    }
                    for at, firing in cases.items()
                    for rule in sorted(names)
                    if not (at == "50m" and rule != "GengfuAreaOnlineLow")
                ],
            }
        ],
    }
    path = tmp_path / "rules.test.yml"
    path.write_text(yaml.safe_dump(test), encoding="utf-8")
    await run_promtool("test", "rules", str(path))


def test_grafana_can_load_the_dashboard() -> None:
    board = read_dashboard()
    assert board["uid"]
    assert board["title"]
    assert board["schemaVersion"] >= 36  # Grafana 9
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    source = yaml.safe_load(
        (GRAFANA / "provisioning" / "datasources" / "gengfu.yaml").read_text(encoding="utf-8")
    )["datasources"][0]
    wanted = {"type": source["type"], "uid": source["uid"]}
    for panel in panels:
        assert panel["type"] in {"stat", "timeseries", "table"}, panel["title"]
        assert panel["title"]
        assert panel["description"]
        assert panel["datasource"] == wanted
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references) > 0
        assert all(target["datasource"] == wanted for target in panel["targets"])
        place = panel["gridPos"]
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= GRID_WIDTH
    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        is_beside = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert is_beside, (one, other)


def test_grafana_is_told_where_dashboards_lie() -> None:
    path = GRAFANA / "provisioning" / "dashboards" / "gengfu.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert settings["apiVersion"] == 1
    (provider,) = settings["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"].startswith("/")
