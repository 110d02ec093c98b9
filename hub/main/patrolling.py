"""Puts together what walks rounds: eyes, motors, films, people to ask, deadlines, papers."""

from dataclasses import dataclass
from functools import partial

from adapters.onvif.ptz import call_preset, find_bearing
from config.schema import Settings
from hub.domain.notes import SendNote
from hub.domain.ports import ProbeCamera, TakeSnapshot
from hub.main.pictures import Surroundings
from hub.main.surroundings import utc_now
from hub.maintenance.pictures.glancing import Glancer
from hub.maintenance.pictures.sight import Sight
from hub.patrols.citizens.receiving import Intake
from hub.patrols.files import PictureFolder
from hub.patrols.phone.sending import LinkSender
from hub.patrols.reporting.making import Maker
from hub.patrols.reporting.papers import Papers
from hub.patrols.reporting.pdf import Printer
from hub.patrols.reporting.reports import Reporter
from hub.patrols.reporting.sending import ReportSender
from hub.patrols.roll_calls.asking import Asker
from hub.patrols.walking.planner import Planner
from hub.patrols.walking.rounds import RoundWalker, WalkOptions
from hub.patrols.walking.turning import Motors
from hub.patrols.walking.visit import Eyes
from hub.runtime.jobs import Jobs
from streams.clips import ClipTaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Senses:
    """How a stop is looked at, beside its judged picture."""

    probe: ProbeCamera
    snapshot: TakeSnapshot
    clip: ClipTaker
    sight: Sight


def build_eyes(around: Surroundings, senses: Senses) -> Eyes:
    """What a visit looks with; no camera is turned whose plan does not ask for it."""
    patrols = around.settings.patrols
    is_judged = around.settings.pictures.is_judged
    return Eyes(
        probe=senses.probe,
        snapshot=senses.snapshot,
        folder=PictureFolder(around.settings.data_dir.absolute()),
        clock=utc_now,
        glance=Glancer(around.database, senses.sight, utc_now) if is_judged else None,
        clip=senses.clip,
        motors=Motors(
            call_preset=partial(call_preset, policy=around.policy, clock=utc_now),
            find_bearing=partial(find_bearing, policy=around.policy, clock=utc_now),
            settle_s=patrols.settle_s,
        ),
        glance_s=patrols.look_s,
    )


def register_patrols(around: Surroundings, jobs: Jobs, eyes: Eyes, send_note: SendNote) -> None:
    """Say who does the due work of patrols in this process."""
    settings, database = around.settings, around.database
    options = WalkOptions(
        groups_at_once=settings.patrols.groups_at_once,
        stops_at_once=settings.patrols.looks_at_once,
    )
    RoundWalker(database=database, jobs=jobs, eyes=eyes, options=options).register()
    Planner(
        database=database, jobs=jobs, clock=utc_now, groups_at_once=options.groups_at_once
    ).register()
    Asker(database=database, jobs=jobs, clock=utc_now).register()
    LinkSender(
        database=database,
        clock=utc_now,
        send_note=send_note,
        link_base=settings.http.public_url,
        zone=around.zone,
    ).register(jobs)
    ReportSender(
        database=database,
        send_note=send_note,
        zone=around.zone,
        link_base=settings.http.public_url,
    ).register(jobs)
    papers = Papers.of(database, settings.data_dir.absolute(), Printer())
    Reporter(
        maker=Maker(database=database, jobs=jobs, papers=papers, clock=utc_now, zone=around.zone)
    ).register()


def intake_of(settings: Settings) -> Intake:
    """How reports of residents are taken in."""
    citizens = settings.citizens
    return Intake(
        is_open=citizens.is_open,
        area_id=citizens.area_id,
        most_waiting=citizens.most_waiting,
        gives_points=citizens.gives_points,
    )
