"""Walks every route of the application: nothing is open that should not be, nothing leaks.

A new route without a place in these tables fails here.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from hub.domain.access import Permission
from hub.store.database import Database
from hub.web.access import OPEN_PATHS, Anyone
from hub.web.console_files import DESKS
from hub.web.openapi import RouteLine, list_routes
from tests.web.history import History, fill_west
from tests.web.sockets import ACCEPTED, call
from tests.web.stage import World, sign_in

LIVE = "/api/v1/devices/{device_id}/live"  # a WebSocket, as is the next
TALK = "/api/v1/devices/{device_id}/talk"
STREAMS = {"/api/v1/live"}  # never ends: tests/web/test_live.py looks at whose rows it shows
# Take a file and name each row that they refuse: tests/web/test_inventory.py looks at whose.
PICTURE = "/api/v1/devices/{device_id}/picture"
PTZ = "/api/v1/devices/{device_id}/ptz"
ROUND = "/api/v1/patrol-rounds/{round_id}"
TASK = "/api/v1/dispatches/{dispatch_id}"
REPORT = "/api/v1/citizen-reports/{report_id}"
ANOTHER_MAKING = "2026-11-22T00:45:00Z"  # of a report: not the one that would be signed
UPLOADS = {
    ("POST", "/api/v1/inventory/devices"),
    ("POST", "/api/v1/inventory/areas"),
    ("POST", "/api/v1/inventory/devices/preview"),
    ("PUT", "/api/v1/map/outlines"),  # tests/web/test_maps.py
    ("GET", "/api/v1/map/tiles.pmtiles"),  # one file for all, or none: the same
}


def path_numbers(world: World, history: History) -> Mapping[str, object]:
    """What every path parameter is in the western village."""
    return {
        "alert_id": history.alert,
        "area_id": world.west,
        "assignment_id": history.assignment,
        "call_id": history.call,
        "connection_id": world.west_connection,
        "day": "2027-10-01",
        "deadlines_id": history.deadlines,
        "device_id": world.west_camera,
        "discovery_id": history.discovery,
        "dispatch_id": history.dispatch,
        "dispatch_rule_id": history.dispatch_rule,
        "duty_id": history.duty,
        "drill_id": history.drill,
        "event_id": history.event,
        "file": "index.m3u8",
        "handover_id": history.handover,
        "interval_id": history.interval,
        "month_id": history.month,
        "photo_id": history.photo,
        "report_id": history.citizen_report,
        "report_photo_id": history.report_photo,
        "patrol_report_id": history.patrol_report,
        "plan_id": history.plan,
        "point_id": history.point,
        "policy_id": history.policy,
        "position": 1,
        "profile_id": history.profile,
        "receiver_id": history.receiver,
        "role": "viewer",
        "room_id": history.room,
        "round_id": history.walk,
        "route_id": history.route,
        "rule_id": history.rule,
        "shift_id": history.shift,
        "silence_id": history.silence,
        "suggestion_id": history.suggestion,
        "task_deadlines_id": history.task_deadlines,
        "unit_id": history.unit,
        "user_id": history.person,
        "viewing_id": 1,
        "which": "bad",
        "window_id": history.window,
    }


def bodies(world: World, history: History) -> Mapping[tuple[str, str], object]:
    """A good body for every route that takes one, each naming the western village."""
    condition = {"type": "device_offline", "for_s": 30}
    rule = {"name": "west rule", "area_id": world.west, "condition": condition}
    hook = {"address": "http://hook.test/x"}
    receiver = {"name": "west", "area_id": world.west, "kind": "webhook", "options": hook}
    route = {"name": "west route", "area_id": world.west, "receivers": [history.receiver]}
    duty = {"area_id": world.west, "receiver_id": history.colleague}
    night = {"rrule": "FREQ=DAILY;BYHOUR=22", "duration_s": 28800, "time_zone": "Asia/Shanghai"}
    steps = [{"wait_s": 300, "climb": 1, "receivers": [history.receiver]}]
    policy = {"name": "west policy", "area_id": world.west, "steps": steps}
    deadlines = {"area_id": world.west, "severity": "critical", "acknowledge_s": 300}
    plan = {
        "name": "west plan", "area_id": world.west, "rrule": "FREQ=DAILY",
        "time_zone": "Asia/Shanghai", "starts_on": "2026-01-01",
    }  # fmt: skip
    link = {
        "protocol": "rtsp",
        "name": "west",
        "address": "rtsp://new.test/",
        "area_id": world.west,
    }
    grant = {"role": "viewer", "area_id": world.west}
    window = {"area_id": world.west, "ends_at": "2026-11-22T03:00:00Z", "reason": "west cables"}
    profile = {"name": "west lanes", "thresholds": {"blur": 70, "ptz": None}}
    silence = {"area_id": world.west, "reason": "cables", "ends_at": "2026-11-22T03:00:00Z"}
    unit = {"area_id": world.west, "name": "west unit", "kind": "patrol_unit"}
    sends = {"area_id": world.west, "name": "west sends", "kinds": ["waste"], "most_km": 5}
    seen: dict[str, object] = {"version": 0, "note": "west gate"}
    times = {"area_id": world.west, "priority": "urgent", "accept_s": 300, "done_s": 3600}
    return {
        ("POST", "/api/v1/areas"): {"code": "hut", "name": "Hut", "parent_id": world.west},
        ("PATCH", "/api/v1/areas/{area_id}"): {"name": "West End"},
        ("POST", "/api/v1/connections"): link,
        ("PATCH", "/api/v1/connections/{connection_id}"): {"name": "west link"},
        ("PATCH", "/api/v1/devices/{device_id}"): {"name": "west-1"},
        ("POST", "/api/v1/devices/{device_id}/command"): {"do": "relay.set"},
        ("PATCH", "/api/v1/points/{point_id}"): {"low": -40, "high": 60},
        ("POST", f"{LIVE}/whep"): {"offer": "v=0\r\n"},
        ("POST", f"{LIVE}/hls"): {},
        ("POST", f"{PTZ}/move"): {"pan": 0.5},
        ("POST", f"{PTZ}/goto"): {"preset": "1"},
        ("POST", f"{PTZ}/home"): {},
        ("POST", f"{PTZ}/presets"): {"name": "west gate"},
        ("POST", f"{PTZ}/presets/remove"): {"preset": "1"},
        ("POST", "/api/v1/alerts/{alert_id}/acknowledge"): {"note": ""},
        ("POST", "/api/v1/alerts/{alert_id}/assign"): {},
        ("POST", "/api/v1/alerts/{alert_id}/comment"): {"note": "seen"},
        ("POST", "/api/v1/alerts/{alert_id}/snooze"): {"seconds": 600},
        ("POST", "/api/v1/alerts/{alert_id}/resolve"): {"reason": "done"},
        ("POST", "/api/v1/alerts/{alert_id}/reopen"): {"note": "not yet"},
        ("POST", "/api/v1/alerts/bulk"): {"ids": [history.alert], "action": "comment", "note": "x"},
        ("POST", "/api/v1/silences"): silence,
        ("POST", "/api/v1/silences/preview"): {"area_id": world.west},
        ("PUT", "/api/v1/silences/{silence_id}"): {"ends_at": "2026-11-22T05:00:00Z"},
        ("POST", "/api/v1/rules"): rule,
        ("PUT", "/api/v1/rules/{rule_id}"): rule,
        ("POST", "/api/v1/rules/dry-run"): {"rule": rule},
        ("POST", "/api/v1/rules/{rule_id}/dry-run"): {},
        ("POST", "/api/v1/receivers"): receiver,
        ("PUT", "/api/v1/receivers/{receiver_id}"): {
            **receiver, "options": {"address": "http://hook.test/west?key=hush-hush"},
        },
        ("POST", "/api/v1/routes"): route,
        ("PUT", "/api/v1/routes/{route_id}"): route,
        ("POST", "/api/v1/duties"): {**duty, "hours": night},
        ("PUT", "/api/v1/duties/{duty_id}"): duty,
        ("POST", "/api/v1/policies"): policy,
        ("PUT", "/api/v1/policies/{policy_id}"): policy,
        ("POST", "/api/v1/deadlines"): {**deadlines, "severity": "warning"},
        ("PUT", "/api/v1/deadlines/{deadlines_id}"): deadlines,
        ("POST", "/api/v1/probe-intervals"): {"area_id": world.west, "answer_s": 30},
        ("POST", "/api/v1/maintenance-windows"): window,
        ("PUT", "/api/v1/devices/{device_id}/parent"): {"parent_id": None},
        ("PUT", "/api/v1/devices/{device_id}/tags"): {"tags": ["west gate"]},
        ("PUT", "/api/v1/holidays"): {"year": 2026, "days": []},
        ("PUT", "/api/v1/holidays/{day}"): {"name": "国庆节"},
        ("PUT", "/api/v1/devices/{device_id}/record"): {"room": "outdoor", "mount_height_m": 4.5},
        ("POST", "/api/v1/parents"): {"parent_id": None, "device_ids": [world.west_camera]},
        ("POST", "/api/v1/devices/bulk"): {
            "ids": [world.west_camera], "change": {"team": "west team", "add_tags": ["west"]},
        },
        ("POST", "/api/v1/discoveries"): {
            "area_id": world.west, "multicast": True,
            "credentials": [{"username": "west", "password": "camera-secret"}],
        },
        ("POST", "/api/v1/discoveries/try"): {
            "area_id": world.west, "protocol": "onvif", "address": "http://west.test/",
            "username": "west", "password": "camera-secret",
        },
        ("POST", "/api/v1/discoveries/{discovery_id}/add"): {
            "area_id": world.west, "finds": [{"find_id": history.find, "name": "west found"}],
        },
        ("POST", "/api/v1/parent-suggestions/{suggestion_id}/accept"): {},
        ("POST", "/api/v1/reports/months"): {"month": "2026-10", "area_id": world.west},
        ("POST", "/api/v1/drills"): {
            "area_id": world.west, "name": "west drill", "rule_id": history.rule,
            "device_ids": [world.west_camera],
        },
        ("POST", f"{PICTURE}/feedback"): {"index": "blur", "is_fault": False, "note": "fog"},
        ("POST", f"{PICTURE}/baseline"): {"accept": True},
        ("PUT", f"{PICTURE}/masks"): {"polygons": [[[0, 0], [0.5, 0], [0.5, 0.5]]]},
        ("POST", "/api/v1/picture-profiles"): {**profile, "area_id": world.west},
        ("PUT", "/api/v1/picture-profiles/{profile_id}"): profile,
        ("POST", "/api/v1/picture-profiles/dry-run"): {
            "area_id": world.west, "thresholds": {"blur": 60},
        },
        ("POST", "/api/v1/picture-assignments"): {
            "area_id": world.west, "day_id": history.profile, "night_id": history.profile,
        },
        ("POST", "/api/v1/dispatches"): {"area_id": world.west, "title": "west manhole"},
        ("PATCH", TASK): {"version": 0, "priority": "high"},
        ("POST", f"{TASK}/send"): {**seen, "unit_id": history.unit},
        ("POST", f"{TASK}/take-back"): seen,
        ("POST", f"{TASK}/cancel"): seen,
        ("POST", f"{TASK}/verify"): seen,
        ("POST", f"{TASK}/merge"): {**seen, "into_id": history.dispatch},
        ("POST", f"{TASK}/comment"): {"note": "seen"},
        ("POST", f"{TASK}/messages"): {"text": "which gate?"},
        ("POST", "/api/v1/field-units"): {**unit, "hours": night},
        ("PUT", "/api/v1/field-units/{unit_id}"): unit,
        ("POST", "/api/v1/dispatch-rules"): sends,
        ("PUT", "/api/v1/dispatch-rules/{dispatch_rule_id}"): sends,
        ("POST", "/api/v1/task-deadlines"): times,
        ("PUT", "/api/v1/task-deadlines/{task_deadlines_id}"): {**times, "priority": "high"},
        ("POST", "/api/v1/patrol-plans"): plan,
        ("PUT", "/api/v1/patrol-plans/{plan_id}"): plan,
        ("POST", "/api/v1/patrol-plans/forecast"): plan,
        ("POST", "/api/v1/shifts"): {"area_id": world.west, "name": "west day", "hours": night},
        ("PUT", "/api/v1/shifts/{shift_id}"): {
            "area_id": world.west, "name": "west night", "hours": night,
        },
        ("POST", "/api/v1/handovers"): {"area_id": world.west, "note": "west lamp is out"},
        ("POST", "/api/v1/duty-rooms"): {"area_id": world.west, "name": "west gatehouse"},
        ("PUT", "/api/v1/duty-rooms/{room_id}"): {
            "area_id": world.west, "name": "west room", "speaker_id": world.west_camera,
        },
        ("POST", "/api/v1/duty-rooms/{room_id}/announce"): {"text": "Is anybody there?"},
        ("POST", "/api/v1/room-calls/{call_id}/answer"): {"how": "telephone", "by": "Li Si"},
        ("POST", f"{ROUND}/take"): {"take_over": True},
        ("POST", f"{ROUND}/hand-over"): {"to_user_id": history.person, "note": "gate 3"},
        ("POST", f"{ROUND}/pause"): {"reason": "tea"},
        ("POST", f"{ROUND}/stops/{{position}}/judge"): {"result": "normal"},
        ("POST", f"{ROUND}/stops/{{position}}/skip"): {"reason": "fog"},
        ("POST", f"{ROUND}/stops/{{position}}/second-look"): {"agrees": True},
        ("POST", f"{ROUND}/stops/{{position}}/dispatch"): {"title": "look at the gate"},
        ("POST", "/api/v1/patrol-reports"): {
            "period": "night", "area_id": world.west, "night": "2026-11-21",
        },
        ("POST", "/api/v1/patrol-reports/{patrol_report_id}/sign"): {
            "made_at": ANOTHER_MAKING,
        },
        ("POST", f"{REPORT}/dispatch"): {"priority": "low"},
        ("POST", f"{REPORT}/answer"): {"text": "west answer"},
        ("POST", f"{REPORT}/reject"): {"text": "west reason"},
        ("POST", f"{REPORT}/move"): {"area_id": world.west},
        ("POST", f"{REPORT}/points"): {"points": 5},
        ("POST", "/api/v1/users"): {"name": "newcomer", "grant": grant},
        ("PATCH", "/api/v1/users/{user_id}"): {"display_name": "W"},
        ("POST", "/api/v1/users/{user_id}/password"): {"new": "Another-Horse-8"},
        ("POST", "/api/v1/users/{user_id}/grants"): {**grant, "role": "operator"},
    }  # fmt: skip


def scoped_routes(app: FastAPI) -> Iterator[RouteLine]:
    """Every route that asks for a permission, what removes things last."""
    lines = [
        line
        for line in list_routes(app)
        if isinstance(line.requirement, Permission)
        and line.path not in STREAMS
        and (line.method, line.path) not in UPLOADS
    ]
    # What removes comes last, and from the inside out.
    return iter(sorted(lines, key=lambda one: (one.method == "DELETE", -len(one.path))))


def query(line: RouteLine, world: World) -> dict[str, int | str]:
    """What lists that need to be narrowed are narrowed to."""
    if line.path.endswith("/area-days"):
        return {"area": world.west, "first": "2026-11-01", "last": "2026-11-02"}
    return (
        {"device_id": world.west_camera}
        if line.path.endswith(("/readings", "/channels", "/duplicates"))
        else {}
    )


async def ask(
    client: httpx.AsyncClient, line: RouteLine, world: World, history: History, app: FastAPI
) -> httpx.Response:
    """Call one route for the western village; KeyError for a route without its case."""
    path = line.path.format(**path_numbers(world, history))
    has_body = line.method in {"PATCH", "PUT"} or (
        line.method == "POST" and (line.method, line.path) in bodies(world, history)
    )
    body = bodies(world, history)[line.method, line.path] if has_body else None
    return await call(app, client, line.method, path, json=body, params=query(line, world))


@pytest.mark.threat("T2")
async def test_what_is_open_is_one_list(app: FastAPI) -> None:
    opened = {line.path for line in list_routes(app) if line.requirement is None}
    assert opened == OPEN_PATHS


@pytest.mark.threat("T2")
async def test_without_login_every_other_route_answers_401(
    app: FastAPI, client: httpx.AsyncClient, world: World
) -> None:
    numbers = dict.fromkeys(path_numbers(world, NOBODY), 1) | {
        "kind": "choices",
        "name": "columns",
        "role": "viewer",
        "token_id": 1,
        "which": "bad",
    }
    wrong = []
    for line in list_routes(app):
        if line.requirement is None:
            continue
        for headers in ({}, {"Authorization": "Bearer gengfu_x"}, {"Cookie": "gengfu=x"}):
            path = line.path.format(**numbers)
            answer = await call(app, client, line.method, path, headers=headers)
            if answer.status_code != 401:
                wrong.append((line.method, line.path, answer.status_code))
    assert wrong == []
    assert (await client.get("/metrics")).status_code == 401


NOBODY = History(alert=1, event=1, rule=1, receiver=1, plan=1, walk=1, person=1)


@pytest.mark.threat("T1")
async def test_another_area_does_not_exist(
    app: FastAPI, client: httpx.AsyncClient, world: World, database: Database, tmp_path: Path
) -> None:
    history = await fill_west(database, world, tmp_path)
    await sign_in(client, "east-admin")
    wrong = []
    for line in scoped_routes(app):
        answer = await ask(client, line, world, history, app)
        names_west = "{" in line.path or line.method != "GET" or query(line, world)
        is_hidden = answer.status_code == 404 if names_west else answer.status_code == 200
        if not is_hidden or "west" in answer.text.lower():
            wrong.append((line.method, line.path, answer.status_code, answer.text[:200]))
    assert wrong == []


@pytest.mark.threat("T1")
async def test_the_same_calls_work_for_those_who_may(
    app: FastAPI, client: httpx.AsyncClient, world: World, database: Database, tmp_path: Path
) -> None:
    history = await fill_west(database, world, tmp_path)
    await sign_in(client, "root-admin")
    wrong = []
    for line in scoped_routes(app):
        answer = await ask(client, line, world, history, app)
        # 409: what the calls before it did (a round that is over, an alert resolved).
        if not answer.is_success and answer.status_code not in {ACCEPTED, 409}:
            wrong.append((line.method, line.path, answer.status_code, answer.text[:200]))
    assert wrong == []


@pytest.mark.threat("T31")
async def test_no_secret_leaves_through_any_route(
    app: FastAPI, client: httpx.AsyncClient, world: World, database: Database, tmp_path: Path
) -> None:
    history = await fill_west(database, world, tmp_path)
    await sign_in(client, "root-admin")
    for line in scoped_routes(app):
        answer = await ask(client, line, world, history, app)
        for secret in ("camera-secret", "webhook-secret", "hush-hush", "argon2"):
            assert secret not in answer.text, line.path


@pytest.mark.threat("T2")
async def test_a_viewer_changes_nothing(
    app: FastAPI, client: httpx.AsyncClient, world: World
) -> None:
    await sign_in(client, "east-viewer")
    wrong = []
    for line in scoped_routes(app):
        if line.requirement is Permission.SEE:
            continue
        answer = await ask(client, line, world, NOBODY, app)
        if answer.status_code != 403:
            wrong.append((line.method, line.path, answer.status_code))
    assert wrong == []


@pytest.mark.threat("T2")
async def test_openapi_names_what_each_route_asks_for(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    document = (await client.get("/api/v1/openapi.json")).json()
    known = {str(p) for p in Permission} | {str(a) for a in Anyone} | {"open"}
    asked = {
        (method, path): operation["x-permission"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert set(asked.values()) <= known
    assert asked["patch", "/api/v1/devices/{device_id}"] == "maintain"
    assert asked["post", "/api/v1/session/login"] == "open"
    described = {path for _, path in asked}
    pages = {"/", "/assets", "/api/v1/openapi.json", "/report", LIVE, TALK}
    pages |= {f"/{desk}{rest}" for desk in DESKS for rest in ("", "/{rest:path}")}
    pages |= {"/phone/task", "/phone/call", "/phone/static"}
    assert {line.path for line in list_routes(app)} - described <= pages
