"""Builds the parts of one process and hands them to each other."""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from functools import partial

import aiohttp
from prometheus_client import CollectorRegistry

from adapters.onvif.inspection import inspect_camera
from alerts.judging.engine import AlertEngine
from config.schema import Settings
from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.devices import Connection, Device, Json
from hub.domain.live_video import MediaServer
from hub.domain.ports import Link, ProbeCamera, TakeSnapshot
from hub.main.adapters import AdapterFactory, registration_of
from hub.main.live_video import open_media_server, open_relay
from hub.main.patrolling import Senses as PatrolSenses
from hub.main.patrolling import build_eyes
from hub.main.pictures import Surroundings, build_rounds, build_sight
from hub.main.servers import Servers
from hub.main.surroundings import device_policy, local_zone, raise_file_limit, utc_now
from hub.maintenance.inspecting import InspectingOptions, InspectingSenses, Inspector
from hub.maintenance.inspection_verdicts import Limits
from hub.maintenance.intervals import Intervals
from hub.maintenance.looking import LookOptions
from hub.maintenance.pictures.rounds import PictureRounds
from hub.maintenance.pictures.sight import Sight
from hub.maintenance.probing import Prober, ProbingOptions, Senses
from hub.maintenance.watching_links import LinkWatch
from hub.maintenance.watching_points import PointKeeper
from hub.patrols.walking.visit import Eyes
from hub.runtime.health import HealthWatch
from hub.runtime.jobs import Jobs
from hub.runtime.live import LiveFeed
from hub.runtime.outbound import open_client
from hub.runtime.pipeline import AfterCommit, Pipeline
from hub.runtime.registry import Registry
from hub.runtime.supervisor import Supervisor
from hub.store.database import Database
from hub.store.events import ReadingRow
from hub.store.vault import Vault
from streams.clips import ClipTaker
from streams.decoder import DecoderProcess
from streams.describe import describe_stream
from streams.live.relay import Relay
from streams.photos import PhotoCleaner
from streams.probe import probe_camera
from streams.quality.judges import JudgePool
from streams.snapshot import take_snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything one process is made of, not running yet."""

    settings: Settings
    around: Surroundings
    servers: Servers
    zone: tzinfo
    receiver_policy: AddressPolicy
    database: Database
    live: LiveFeed
    registry: Registry
    pipeline: Pipeline
    supervisor: Supervisor
    links: LinkWatch
    points: PointKeeper
    jobs: Jobs
    engine: AlertEngine
    prober: Prober
    inspector: Inspector
    pictures: PictureRounds
    sight: Sight
    eyes: Eyes
    clean_photo: PhotoCleaner
    probe: ProbeCamera
    snapshot: TakeSnapshot
    relay: Relay
    media_server: MediaServer | None
    receivers_client: aiohttp.ClientSession
    health: HealthWatch
    metrics: CollectorRegistry

    async def run_command(
        self, device: Device, do: str, args: Mapping[str, Json]
    ) -> Mapping[str, Json]:
        """Run a command on a device whose connection lives in this process."""
        return await self.supervisor.command(device.connection_id, device.key, do, args)


@asynccontextmanager
async def open_parts(settings: Settings, servers: Servers) -> AsyncIterator[Parts]:
    """Open what needs opening and build the rest.

    Raises:
        StoreUnavailable: the database does not answer.
        ConfigError: the key of the stored passwords cannot be used.
    """
    async with AsyncExitStack() as stack:
        database = await open_database(settings, servers)
        stack.push_async_callback(database.close)
        zone = local_zone(settings)
        own = servers.own_endpoints(settings)
        devices = device_policy(settings, own)
        receivers = AddressPolicy(
            allowed=parse_networks(settings.network.receivers), own_endpoints=own
        )
        camera_client = await stack.enter_async_context(open_client(devices))
        receivers_client = await stack.enter_async_context(open_client(receivers))
        decoder = DecoderProcess()
        stack.push_async_callback(decoder.close)
        judges = JudgePool(size=settings.pictures.processes)
        stack.push_async_callback(judges.close)
        cleaner = PhotoCleaner()
        stack.push_async_callback(cleaner.close)
        films = ClipTaker(client=camera_client, policy=devices, clock=utc_now)
        stack.push_async_callback(films.close)
        metrics = CollectorRegistry()
        live = LiveFeed(database)
        jobs = Jobs(database, utc_now)
        engine = AlertEngine(database, jobs, live, utc_now)
        registry = Registry(database)
        readers: list[AfterCommit] = [engine.offer_readings]

        async def offer_readings(rows: Sequence[ReadingRow]) -> None:
            for read in readers:
                await read(rows)

        pipeline = Pipeline(
            database, registry, utc_now, after_commit=offer_readings, metrics=metrics
        )
        points = PointKeeper(database=database, report=pipeline.report, clock=utc_now)
        readers.append(points.offer)
        probe = partial(probe_camera, policy=devices, clock=utc_now)
        factory = AdapterFactory(
            policy=devices,
            describe=partial(describe_stream, policy=devices),
            clock=utc_now,
            broker_address=servers.broker_address,
        )

        def link_for(connection: Connection) -> Link:
            return pipeline.link(connection, registration_of(connection))

        around = Surroundings(
            settings=settings,
            zone=zone,
            intervals=probing_options(settings).intervals,
            database=database,
            client=camera_client,
            policy=devices,
            judge=judges,
            report=pipeline.report,
            metrics=metrics,
        )
        snapshot = partial(
            take_snapshot, client=camera_client, policy=devices, clock=utc_now, decoder=decoder
        )
        relay = open_relay(around, snapshot, stack)
        media_server = await open_media_server(settings, devices, stack)
        sight = build_sight(around)
        supervisor = Supervisor(database, factory.make, link_for, rng=random.SystemRandom())
        yield Parts(
            settings=settings,
            around=around,
            servers=servers,
            zone=zone,
            receiver_policy=receivers,
            database=database,
            live=live,
            registry=registry,
            pipeline=pipeline,
            supervisor=supervisor,
            links=LinkWatch(
                database=database,
                states=supervisor.states,
                report=pipeline.report,
                clock=utc_now,
            ),
            points=points,
            jobs=jobs,
            engine=engine,
            prober=Prober(
                database,
                registry,
                Senses(probe=probe, report=pipeline.report, clock=utc_now),
                probing_options(settings),
                metrics,
            ),
            inspector=Inspector(
                database,
                InspectingSenses(
                    inspect=partial(inspect_camera, policy=devices, clock=utc_now, zone=zone),
                    report=pipeline.report,
                    clock=utc_now,
                ),
                InspectingOptions(
                    shards=settings.health.shards,
                    intervals=probing_options(settings).intervals,
                    limits=Limits(
                        clock_s=settings.health.clock_off_s,
                        completeness=settings.health.recording_completeness,
                        certificate=timedelta(days=settings.health.certificate_days),
                    ),
                    zone=zone,
                ),
            ),
            pictures=build_rounds(around),
            sight=sight,
            eyes=build_eyes(
                around, PatrolSenses(probe=probe, snapshot=snapshot, clip=films, sight=sight)
            ),
            clean_photo=cleaner,
            probe=probe,
            snapshot=snapshot,
            relay=relay,
            media_server=media_server,
            receivers_client=receivers_client,
            health=HealthWatch(database),
            metrics=metrics,
        )


def probing_options(settings: Settings) -> ProbingOptions:
    """How devices are probed unless the database says otherwise of them."""
    health = settings.health
    return ProbingOptions(
        shards=health.shards,
        intervals=Intervals(
            answer_s=health.probe_interval_s,
            stream_s=health.stream_interval_s,
            frames_s=health.frames_interval_s,
            inspect_s=health.inspect_interval_s,
            picture_s=settings.pictures.interval_s,
        ),
        look=LookOptions(
            timeout_s=health.probe_timeout_s,
            confirm_after_s=health.confirm_after_s,
            recover_after_s=health.recover_after_s,
            # The other half is for links, people and the database.
            concurrency=min(health.probes_at_once, raise_file_limit() // 2),
        ),
    )


async def open_database(settings: Settings, servers: Servers) -> Database:
    """Open the pool with the key of the stored passwords."""
    return await Database.open(
        servers.database_url.reveal(),
        vault=Vault.open(settings.key_file),
        max_size=settings.database.pool_size,
    )
