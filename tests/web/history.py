"""A village with everything that can be in one: what a stranger must not find."""

from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path

from alerts.telling.pictures import PictureFiles
from hub.domain.access import Role, Scope
from hub.domain.alerts import Rule, RuleState, Step
from hub.domain.citizen_reports import CitizenReport, NewReport
from hub.domain.conditions import DeviceOffline
from hub.domain.discovery import Find, Login, Survey
from hub.domain.escalations import Deadlines, Duty, Policy, PolicyStep
from hub.domain.events import Severity, StoredEvent
from hub.domain.health import Status
from hub.domain.looks import CleanPhoto
from hub.domain.notifications import Receiver, ReceiverKind, Route
from hub.domain.quality import (
    Finding,
    Index,
    Mode,
    PictureCheck,
    PictureFault,
    PictureState,
    Profile,
)
from hub.domain.secrets import Secret
from hub.domain.silences import Drill, Silence
from hub.maintenance.months import MonthOrder, publish_month
from hub.maintenance.pictures.evidence import EvidenceFolder, Kind
from hub.maintenance.pictures.learning import Lesson, pack
from hub.patrols.citizens.photos import keep_photo as keep_report_photo
from hub.patrols.dispatch.photos import PhotoFolder, TakenPhoto, keep_photo
from hub.runtime.files import write_whole
from hub.store import (
    area_outlines,
    deadlines,
    devices,
    discoveries,
    discovery_finds,
    drills,
    duties,
    events,
    maintenance_windows,
    messages,
    parent_suggestions,
    picture_assignments,
    picture_feedback,
    picture_profiles,
    picture_states,
    policies,
    probe_intervals,
    receivers,
    routes,
    rules,
    silences,
)
from hub.store.alert_openings import (
    NewAlert,
    NewStep,
    Opening,
    add_steps,
    insert_alerts,
    take_numbers,
)
from hub.store.area_outlines import NewOutline
from hub.store.citizen_reports import Reporter, add_report
from hub.store.database import Database, Transaction
from hub.store.maintenance_windows import NewWindow
from hub.store.parent_suggestions import Group
from hub.store.photos import PhotoOf, list_photos
from hub.store.probe_intervals import ProbeInterval
from tests.statuses import Told, change_status
from tests.web.desk_scene import fill_desk
from tests.web.duty_scene import fill_duty
from tests.web.patrol_scene import WALKED_AT, report_round, walk_round
from tests.web.stage import JPEG, SYSTEM, World, add_person

NOW = WALKED_AT
_RING = "[[[[120,30],[121,30],[121,31],[120,30]]]]"
WEST_OUTLINE = NewOutline(code="west", shape=_RING, simple=_RING, corners=4, box=(120, 30, 121, 31))


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Numbers of what is in the western village."""

    alert: int
    event: int
    rule: int
    receiver: int
    plan: int
    walk: int
    person: int
    interval: int = 1
    window: int = 1
    suggestion: int = 1
    month: int = 1
    point: int = 1
    route: int = 1
    silence: int = 1
    deadlines: int = 1
    colleague: int = 1  # the receiver on duty
    duty: int = 1
    policy: int = 1
    drill: int = 1
    profile: int = 1
    assignment: int = 1
    unit: int = 1
    dispatch_rule: int = 1
    task_deadlines: int = 1
    dispatch: int = 1
    photo: int = 1
    room: int = 1
    call: int = 1
    shift: int = 1
    handover: int = 1
    patrol_report: int = 1
    citizen_report: int = 1
    report_photo: int = 1
    discovery: int = 1
    find: int = 1


async def _report(tx: Transaction, world: World, folder: PhotoFolder) -> tuple[CitizenReport, int]:
    """What a resident reported, with a photo; returns the photo's number as well."""
    new = NewReport(text="west water", kind="water", contact="west telephone")
    by = Reporter(digest=bytes(32))
    found = await add_report(tx, SYSTEM, world.west, new, by, now=NOW)
    await keep_report_photo(
        tx, SYSTEM, folder, found, CleanPhoto(jpeg=JPEG, width=64, height=48), now=NOW
    )
    (photo,) = await list_photos(tx, SYSTEM, PhotoOf(report_id=found.id))
    return found, photo.id


async def fill_west(database: Database, world: World, data_dir: Path) -> History:
    """Put one of each into the western village."""
    async with database.transaction() as tx:
        person = await add_person(tx, "west-person", Role.VIEWER, world.west)
        row = Told(device_id=world.west_camera, status=Status.OFFLINE, since=NOW)
        await change_status(tx, SYSTEM, row)
        event = StoredEvent(
            id=0, kind="west.happened", area_id=world.west, area_path="town.west", at=NOW,
            received_at=NOW, device_id=world.west_camera,
        )  # fmt: skip
        stored = await events.add_events(tx, SYSTEM, [event])
        receiver = await receivers.add_receiver(
            tx,
            SYSTEM,
            Receiver(
                name="west-receiver",
                area_id=world.west,
                kind=ReceiverKind.WEBHOOK,
                options={"address": "http://hook.test/west?key=hush-hush"},
                secret=Secret("webhook-secret"),
            ),
        )
        route = await routes.add_route(
            tx, SYSTEM, Route(name="west-route", area_id=world.west, receivers=(receiver.id,))
        )
        await receivers.ask_for_test(tx, Scope(paths=None, actor="west-person"), receiver.id)
        await messages.make_test(tx, SYSTEM, receiver.id, NOW)
        alert, rule = await raise_alert(tx, world.west, world.west_camera, "west")
        (point,) = await devices.list_points(tx, SYSTEM, world.west_camera)
        interval, window, suggestion = await maintain(tx, world.west, world.west_camera, "west")
        order = MonthOrder(month="2026-10", area_id=world.west)
        silence = await silences.add_silence(
            tx,
            SYSTEM,
            Silence(
                area_id=world.west,
                reason="west cables",
                starts_at=NOW,
                ends_at=NOW + timedelta(hours=4),
            ),
            now=NOW,
        )
        month = await publish_month(tx, SYSTEM, order, now=NOW, zone=UTC)
        drill = await drills.start_drill(
            tx,
            SYSTEM,
            Drill(
                area_id=world.west,
                name="west-drill",
                rule_id=rule.id,
                device_ids=(world.west_camera,),
                started_at=NOW,
                ends_at=NOW + timedelta(hours=1),
            ),
        )
        colleague = await receivers.add_receiver(
            tx, SYSTEM, Receiver(
                name="west-colleague",
                area_id=world.west,
                kind=ReceiverKind.WEBHOOK,
                options={"address": "http://hook.test/west-colleague"},
            )
        )  # fmt: skip
        limits, duty, policy = await escalate(tx, world.west, colleague.id, "west")
        desk = await fill_desk(tx, world.west, "west", NOW)
        taken = TakenPhoto(
            photo=CleanPhoto(jpeg=JPEG, width=64, height=48), author="west", is_field=True, at=NOW
        )
        folder = PhotoFolder(data_dir)
        photo = await keep_photo(tx, SYSTEM, folder, desk.dispatch, taken)
        reported, reported_photo = await _report(tx, world, folder)
        profile, assignment = await blur_picture(
            tx, world.west, world.west_camera, "west", data_dir
        )
        await area_outlines.put_outlines(tx, SYSTEM, [WEST_OUTLINE])
        discovery, find = await look_around(tx, world.west, "west")
    PictureFiles(data_dir).keep(alert, JPEG)
    plan, walk = await walk_round(database, world.west, "west-plan", data_dir)
    async with database.transaction() as tx:
        duties_there = await fill_duty(tx, world, walk, NOW)
    report = await report_round(database, walk, data_dir)
    return History(
        alert=alert,
        event=stored[0].id,
        rule=rule.id,
        receiver=receiver.id,
        plan=plan,
        walk=walk,
        person=person,
        interval=interval,
        window=window,
        suggestion=suggestion,
        month=month,
        point=point.id,
        route=route.id,
        silence=silence.id,
        deadlines=limits,
        colleague=colleague.id,
        duty=duty,
        policy=policy,
        drill=drill.id,
        room=duties_there.room,
        call=duties_there.call,
        shift=duties_there.shift,
        handover=duties_there.handover,
        patrol_report=report,
        profile=profile,
        assignment=assignment,
        unit=desk.unit,
        dispatch_rule=desk.dispatch_rule,
        task_deadlines=desk.task_deadlines,
        dispatch=desk.dispatch,
        photo=photo.id,
        citizen_report=reported.id,
        report_photo=reported_photo,
        discovery=discovery,
        find=find,
    )


async def look_around(tx: Transaction, area_id: int, name: str) -> tuple[int, int]:
    """A look for devices that found one."""
    survey = Survey(is_multicast=True)
    look = await discoveries.add_discovery(tx, SYSTEM, area_id, survey, now=NOW)
    address = f"http://{name}-found.test/onvif/device_service"
    said = Find(
        host="10.9.9.9", port=80, protocol="onvif", address=address, name=name, login=Login.OPEN
    )
    await discovery_finds.add_finds(tx, SYSTEM, look.id, [said])
    (found,) = (await discovery_finds.list_finds(tx, SYSTEM, look.id)).items
    return look.id, found.id


async def blur_picture(
    tx: Transaction, area_id: int, device_id: int, name: str, data_dir: Path
) -> tuple[int, int]:
    """A camera that is out of focus, with pictures kept, a remark, and a profile of its area."""
    why = f"{name}-1 is out of focus"
    finding = Finding(index=Index.BLUR, score=80, threshold=50, why=why)
    fault = PictureFault(since=NOW, looks=2, score=80, threshold=50, why=why)
    state = PictureState(
        device_id=device_id, tried_at=NOW, checked_at=NOW, findings=(finding,),
        next_at=NOW + timedelta(hours=1), faults={Index.BLUR: fault}, good_at=NOW, bad_at=NOW,
    )  # fmt: skip
    check = PictureCheck(mode=Mode.COLOUR, width=4, height=3, findings=(finding,))
    lesson = Lesson(baseline=b"before", pictures=9, since=NOW - timedelta(days=9), last_at=NOW)
    learnt = ((2, Mode.COLOUR), pack(lesson))
    await picture_states.keep_checks(
        tx, SYSTEM, [picture_states.KeptCheck(state=state, at=NOW, check=check, learnt=learnt)]
    )
    said = picture_feedback.NewFeedback(
        device_id=device_id, index=Index.BLUR, is_fault=True, said_at=NOW, note=f"{name} lens"
    )
    await picture_feedback.add_feedback(tx, SYSTEM, said)
    new = Profile(area_id=area_id, name=f"{name} gates", thresholds={Index.BLUR: 60})
    profile = await picture_profiles.add_profile(tx, SYSTEM, new)
    wanted = picture_assignments.Assignment(
        area_id=area_id, device_class=f"{name}-gate", day_id=profile.id, night_id=profile.id
    )
    assignment = await picture_assignments.put_assignment(tx, SYSTEM, wanted)
    for kind in Kind:
        write_whole(EvidenceFolder(data_dir).path(device_id, kind), JPEG)
    return profile.id, assignment.id


async def escalate(
    tx: Transaction, area_id: int, receiver_id: int, name: str
) -> tuple[int, int, int]:
    """Deadlines, a duty and a policy."""
    limits = await deadlines.add_deadlines(
        tx, SYSTEM, Deadlines(
            area_id=area_id, severity=Severity.CRITICAL, acknowledge_s=300, resolve_s=None
        )
    )  # fmt: skip
    duty = await duties.add_duty(tx, SYSTEM, Duty(area_id=area_id, receiver_id=receiver_id))
    steps = (PolicyStep(wait_s=300, climb=0, receivers=(receiver_id,)),)
    policy = await policies.add_policy(
        tx, SYSTEM, Policy(name=f"{name}-policy", area_id=area_id, steps=steps)
    )
    return limits.id, duty.id, policy.id


async def maintain(
    tx: Transaction, area_id: int, device_id: int, name: str
) -> tuple[int, int, int]:
    """An interval, a maintenance window and a suggested parent."""
    interval = await probe_intervals.put_interval(
        tx, SYSTEM, ProbeInterval(area_id=area_id, device_class=f"{name}-class", answer_s=30)
    )
    window = await maintenance_windows.plan_window(
        tx,
        SYSTEM,
        NewWindow(
            area_id=area_id,
            starts_at=NOW,
            ends_at=NOW + timedelta(hours=2),
            reason=f"{name} cables",
        ),
        now=NOW,
    )
    group = Group(
        subnet="10.3.7.0/24",
        device_ids=(device_id,),
        times_seen=2,
        first_at=NOW,
        last_at=NOW,
        confidence=0.75,
    )
    (suggestion,) = await parent_suggestions.keep_groups(tx, SYSTEM, [group], now=NOW)
    return interval.id, window.id, suggestion


async def raise_alert(tx: Transaction, area_id: int, device_id: int, name: str) -> tuple[int, Rule]:
    """A rule of an area and an alert that it concluded about a device."""
    rule = await rules.add_rule(
        tx,
        SYSTEM,
        Rule(
            name=f"{name}-offline",
            area_id=area_id,
            condition=DeviceOffline(for_s=30),
            severity=Severity.CRITICAL,
        ),
    )
    state = RuleState(
        rule_id=rule.id, subject=f"device:{device_id}", area_id=area_id, device_id=device_id
    )
    reason = f"{name}-1 offline for 30 s"
    opening = Opening(rule=rule, state=state, at=NOW, reason=reason)
    (number,), (step,) = await take_numbers(tx, SYSTEM, alerts=1, steps=1)
    row = NewAlert(id=number, opening=opening, subject=state.subject, reason=reason)
    await insert_alerts(tx, SYSTEM, [row])
    fired = NewStep(id=step, alert_id=number, at=NOW, step=Step.FIRED, note=reason)
    await add_steps(tx, SYSTEM, [fired])
    return number, rule
