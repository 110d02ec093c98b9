"""What tests of the web application share: the world behind it, its server, its clients."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import cv2
import httpx
import numpy as np
import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from alerts.notify.webhook import WebhookOptions
from alerts.telling.notifier import validate
from hub.domain.access import Role, system_scope
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.devices import (
    Channel,
    Connection,
    Device,
    DeviceDescription,
    DeviceKind,
    Json,
    Point,
    Registration,
    Stream,
)
from hub.domain.discovery import Find
from hub.domain.errors import DeviceUnreachable, Invalid
from hub.domain.health import Depth, ProbeResult
from hub.domain.notifications import ReceiverKind
from hub.domain.ports import CameraTarget, Picture
from hub.domain.quality import CheckOrder, Codec, EncodedFrame, Mode, PictureCheck
from hub.domain.secrets import Credentials, Secret
from hub.main.web_sockets import MOST_SAID_BYTES, WebSocketProtocol
from hub.maintenance.pictures.sight import Sight, SightSenses
from hub.patrols.citizens.receiving import Intake
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.store import areas, connections, devices, users
from hub.store.database import Database, Transaction
from hub.web.app import end_streams
from hub.web.services import WebServices, WebSettings
from streams.live.relay import Relay

SYSTEM = system_scope("test")
PASSWORD = "Correct-Horse-9"
CHEAP_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
JPEG = cv2.imencode(".jpg", np.full((48, 64, 3), 128, np.uint8))[1].tobytes()
# A documentation address (RFC 5737): not this machine, not a proxy.
CLIENT = ("192.0.2.7", 40000)
WELL = PictureCheck(mode=Mode.COLOUR, width=4, height=3, learnt=b"as it looks")


@dataclass(slots=True, kw_only=True)
class Field:
    """What stands behind the application in tests: it remembers what it was asked."""

    now: datetime = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
    ready: dict[str, bool | str] = field(default_factory=lambda: {"database": True})
    probed: list[CameraTarget] = field(default_factory=list)
    commands: list[tuple[str, str, Mapping[str, Json]]] = field(default_factory=list)

    asked: list[tuple[str, str]] = field(default_factory=list)
    networks: Sequence[str] = ("10.0.0.0/8",)
    is_camera_away: bool = False
    recent: dict[int, Sequence[ProbeResult]] = field(default_factory=dict)
    ordered: list[CheckOrder] = field(default_factory=list)
    found: PictureCheck = WELL

    def clock(self) -> datetime:
        return self.now

    def parse_connection(self, raw: Mapping[str, Json]) -> Mapping[str, Json]:
        rest = {key: value for key, value in raw.items() if key != "protocol"}
        if raw["protocol"] not in {"onvif", "mqtt", "rtsp", "uplink"} or rest.keys() - {"profile"}:
            msg = "unknown protocol or option"
            raise Invalid(msg, field="options")
        return rest

    async def probe(
        self, target: CameraTarget, *, timeout_s: float, depth: Depth = Depth.STREAM
    ) -> ProbeResult:
        del timeout_s, depth
        self.probed.append(target)
        return ProbeResult(probed_at=self.now, latency_s=0.1, lines=("answered",))

    async def snapshot(self, target: CameraTarget, *, timeout_s: float) -> Picture:
        del target, timeout_s
        if self.is_camera_away:
            msg = "no answer within 3 s"
            raise DeviceUnreachable(msg)
        return Picture(jpeg=JPEG, width=4, height=3, taken_at=self.now, source="snapshot")

    async def fetch(
        self, target: CameraTarget, *, count: int = 1, spacing_s: float = 1.0, timeout_s: float
    ) -> tuple[EncodedFrame, ...]:
        del count, spacing_s
        picture = await self.snapshot(target, timeout_s=timeout_s)
        return (EncodedFrame(codec=Codec.JPEG, data=picture.jpeg, taken_at=self.now),)

    async def judge(self, order: CheckOrder) -> PictureCheck:
        self.ordered.append(order)
        return self.found

    async def command(
        self, device: Device, do: str, args: Mapping[str, Json]
    ) -> Mapping[str, Json]:
        self.commands.append((device.key, do, args))
        return {"ok": True}

    async def ask(self, protocol: str, address: str, credentials: Credentials) -> Find:
        self.asked.append((address, credentials.password.reveal()))
        if self.is_camera_away:
            msg = "no answer within 3 s"
            raise DeviceUnreachable(msg)
        return Find(host="10.1.1.1", port=80, protocol=protocol, address=address)

    def parse_receiver(self, kind: ReceiverKind, raw: Mapping[str, Json]) -> Mapping[str, Json]:
        return validate(WebhookOptions, raw) if kind is ReceiverKind.WEBHOOK else raw

    def services(
        self,
        database: Database,
        data_dir: Path,
        feed: LiveFeed,
        settings: WebSettings | None = None,
    ) -> WebServices:
        return WebServices(
            database=database,
            live=feed,
            jobs=Jobs(database, self.clock),
            clock=self.clock,
            settings=settings or _settings(data_dir),
            metrics=CollectorRegistry(),
            readiness=lambda: self.ready,
            parse_connection=self.parse_connection,
            parse_receiver=self.parse_receiver,
            probe_camera=self.probe,
            take_snapshot=self.snapshot,
            run_command=self.command,
            recent_probes=lambda device_id: self.recent.get(device_id, ()),
            sight=Sight(SightSenses(fetch=self.fetch, judge=self.judge)),
            ask_address=self.ask,
            device_networks=parse_networks(self.networks),
            relay=Relay(policy=AddressPolicy(), clock=self.clock, take_snapshot=self.snapshot),
        )


def _settings(data_dir: Path) -> WebSettings:
    built = os.environ.get("GENGFU_CONSOLE_DIR")
    return WebSettings(
        data_dir=data_dir,
        intake=Intake(gives_points=True),
        console_dir=Path(built) if built else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Two villages below one town; everybody's password is PASSWORD."""

    town: int
    east: int
    west: int
    east_camera: int
    west_camera: int
    west_connection: int


async def build_world(database: Database) -> World:
    """Make the two villages, a camera in each, and their people."""
    async with database.transaction() as tx:
        town = await areas.create_area(tx, SYSTEM, code="town", name="Town", parent_id=None)
        east = await areas.create_area(tx, SYSTEM, code="east", name="East", parent_id=town.id)
        west = await areas.create_area(tx, SYSTEM, code="west", name="West", parent_id=town.id)
        east_camera, _ = await add_camera(tx, east.id, "east-1")
        west_camera, west_connection = await add_camera(tx, west.id, "west-1")
        await add_person(tx, "root-admin", Role.ADMIN, town.id)
        await add_person(tx, "east-admin", Role.ADMIN, east.id)
        await add_person(tx, "east-viewer", Role.VIEWER, east.id)
        await add_person(tx, "east-operator", Role.OPERATOR, east.id)
    return World(
        town=town.id,
        east=east.id,
        west=west.id,
        east_camera=east_camera,
        west_camera=west_camera,
        west_connection=west_connection,
    )


@asynccontextmanager
async def open_client(app: FastAPI, address: str = CLIENT[0]) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a cookie jar of its own."""
    transport = httpx.ASGITransport(app, client=(address, CLIENT[1]), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as opened:
        yield opened


async def sign_in(client: httpx.AsyncClient, name: str, password: str = PASSWORD) -> None:
    """Sign in and carry the CSRF token from now on."""
    answer = await client.post("/api/v1/session/login", json={"name": name, "password": password})
    assert answer.status_code == 200, answer.text
    client.headers["X-CSRF-Token"] = answer.json()["csrf"]


async def add_person(tx: Transaction, name: str, role: Role, area_id: int) -> int:
    """Add a person with PASSWORD, hashed cheaply: a hash carries its own cost."""
    number = await tx.scalar(
        int,
        "INSERT INTO users (name, password_hash) VALUES (%(name)s, %(hash)s) RETURNING id",
        {"name": name, "hash": CHEAP_HASH},
    )
    assert number is not None
    await users.add_grant(tx, SYSTEM, number, role=role, area_id=area_id)
    return number


async def add_camera(tx: Transaction, area_id: int, name: str) -> tuple[int, int]:
    """Register an approved camera with a channel and a point; return it and its connection."""
    link = Connection(
        id=0,
        protocol="onvif",
        name=name,
        address=f"http://{name}.test/onvif/device_service",
        area_id=area_id,
        credentials=Credentials(username="operator", password=Secret("camera-secret")),
    )
    connection_id = await connections.add_connection(tx, SYSTEM, link)
    said = DeviceDescription(
        kind=DeviceKind.CAMERA,
        name=name,
        address=link.address,
        channels=(
            Channel(key="ch1", streams=(Stream(role="main", address=f"rtsp://{name}.test/main"),)),
        ),
        points=(Point(key="temp", unit="°C"),),
    )
    new = devices.NewDevice(
        connection_id=connection_id,
        key=name,
        area_id=area_id,
        description=said,
        registration=Registration.APPROVED,
    )
    device = await devices.add_device(tx, SYSTEM, new)
    await devices.describe_device(tx, SYSTEM, device.id, said)
    return device.id, connection_id


@asynccontextmanager
async def serve(app: FastAPI, port: int = 0) -> AsyncIterator[str]:
    """Run the application as it runs in production; yields its address."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="error", proxy_headers=False,
        timeout_graceful_shutdown=1, ws=WebSocketProtocol, ws_max_size=MOST_SAID_BYTES,
        ws_per_message_deflate=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        end_streams(app)
        server.should_exit = True
        await task
