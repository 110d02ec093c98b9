"""Puts together what looks at pictures: fetching, judging, moving cameras, rounds."""

from dataclasses import dataclass
from datetime import tzinfo
from functools import partial

import aiohttp
from prometheus_client import CollectorRegistry

from adapters.onvif.ptz import call_preset, find_bearing
from config.schema import Settings
from hub.domain.addresses import AddressPolicy
from hub.domain.ports import FetchFrames, JudgePicture
from hub.main.surroundings import utc_now
from hub.maintenance.intervals import Intervals
from hub.maintenance.pictures.evidence import EvidenceFolder
from hub.maintenance.pictures.obeying import Obeying, ObeyingOptions, ObeyingSenses, is_free
from hub.maintenance.pictures.rounds import (
    PictureOptions,
    PictureRounds,
    PictureSenses,
    Report,
)
from hub.maintenance.pictures.sight import Sight, SightOptions, SightSenses
from hub.maintenance.pictures.transitions import Confirming
from hub.store.database import Database
from streams.frames import fetch_frames

MOST_SHARDS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What looking at pictures needs of the process it happens in."""

    settings: Settings
    zone: tzinfo
    intervals: Intervals
    database: Database
    client: aiohttp.ClientSession
    policy: AddressPolicy
    judge: JudgePicture
    report: Report
    metrics: CollectorRegistry


def build_rounds(around: Surroundings) -> PictureRounds:
    """The rounds that judge every camera's picture; they do not run yet."""
    pictures = around.settings.pictures
    fetch = _fetch_by(around)
    obeying = Obeying(
        ObeyingSenses(
            fetch=fetch,
            judge=around.judge,
            call_preset=partial(call_preset, policy=around.policy, clock=utc_now),
            find_bearing=partial(find_bearing, policy=around.policy, clock=utc_now),
            is_free=partial(is_free, around.database),
            clock=utc_now,
        ),
        ObeyingOptions(zone=around.zone, timeout_s=pictures.timeout_s),
    )
    usual = PictureOptions()
    options = PictureOptions(
        # Looking for who is due costs a little for each shard, and fewer are spread as well.
        shards=min(around.settings.health.shards, MOST_SHARDS),
        every_s=min(usual.every_s, pictures.interval_s),
        spread_s=min(usual.spread_s, pictures.interval_s / 2),
        timeout_s=pictures.timeout_s,
        concurrency=pictures.at_once,
        per_subnet=pictures.per_subnet,
        intervals=around.intervals,
        confirming=Confirming(pause_s=pictures.confirm_after_s),
        zone=around.zone,
    )
    senses = PictureSenses(
        fetch=fetch,
        judge=around.judge,
        report=around.report,
        clock=utc_now,
        obeying=obeying,
    )
    files = EvidenceFolder(around.settings.data_dir.absolute())
    return PictureRounds(around.database, senses, options, files=files, metrics=around.metrics)


def build_sight(around: Surroundings) -> Sight:
    """What looks at a single camera when somebody asks for it; moves none."""
    fetch = _fetch_by(around)
    options = SightOptions(timeout_s=around.settings.pictures.timeout_s, zone=around.zone)
    return Sight(SightSenses(fetch=fetch, judge=around.judge), options)


def _fetch_by(around: Surroundings) -> FetchFrames:
    return partial(fetch_frames, client=around.client, policy=around.policy, clock=utc_now)
