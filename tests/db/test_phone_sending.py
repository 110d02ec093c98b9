"""Links on their way to phones: minted when sent, forgotten when they reached nobody."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from alerts.telling.messages import Wording
from alerts.telling.notifier import Notifier
from alerts.telling.noting import NoteSender
from alerts.telling.sending import Sender
from hub.domain.dispatches import DispatchStep, NewDispatch, Unit, UnitKind
from hub.domain.duty_rooms import DutyRoom
from hub.domain.errors import NotFound, Rejected, TryAgain
from hub.domain.notes import Note
from hub.domain.notifications import Message, Receiver, ReceiverKind
from hub.domain.secrets import Secret
from hub.patrols.dispatch.desk import Order, send_to, take_back
from hub.patrols.dispatch.opening import open_dispatch
from hub.patrols.phone.links import LATE_ANSWER, SEND, defer_link, find, issue
from hub.patrols.phone.sending import NO_ADDRESS, NO_RECEIVER, RETRY_WAITS_S, LinkSender
from hub.runtime.jobs import Job, Jobs
from hub.store.database import Database, Transaction
from hub.store.dispatch_steps import list_steps
from hub.store.duty_rooms import add_room
from hub.store.field_units import add_unit
from hub.store.phone_links import Purpose
from hub.store.receivers import add_receiver
from tests.db.conftest import SYSTEM, County

NOW = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
BASE = "https://hub.example.org"


def clock() -> datetime:
    return NOW


@dataclass(slots=True)
class Phones:
    """Where notes arrive; it can be told to refuse them."""

    notes: list[tuple[int, Note]] = field(default_factory=list)
    trouble: TryAgain | Rejected | None = None

    async def __call__(self, receiver_id: int, note: Note) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.notes.append((receiver_id, note))

    def token(self, page: str) -> Secret:
        """The token of the last note, whose link leads to a page."""
        address, _, token = self.notes[-1][1].link.reveal().partition("#")
        assert address == BASE + page
        return Secret(token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A unit that is told by a receiver, one that is not, and a task of the first."""

    database: Database
    jobs: Jobs
    phones: Phones
    sender: LinkSender
    receiver: Receiver
    unit: Unit
    silent: Unit
    task: int

    async def send(self, attempt: int = 1, **matter: int) -> None:
        await self.sender.send(Job(id=1, args=dict(matter), attempt=attempt))

    async def history(self) -> Sequence[DispatchStep]:
        async with self.database.transaction() as tx:
            return await list_steps(tx, SYSTEM, self.task)

    async def links(self) -> int:
        async with self.database.transaction() as tx:
            return await tx.scalar(int, "SELECT count(*) FROM phone_links") or 0


@pytest.fixture
async def site(database: Database, county: County) -> Site:
    jobs, phones = Jobs(database, clock), Phones()
    async with database.transaction() as tx:
        receiver = await add_receiver(tx, SYSTEM, _receiver(county))
        unit = await add_unit(tx, SYSTEM, _unit(county, "王强", receiver.id))
        silent = await add_unit(tx, SYSTEM, _unit(county, "李敏", None))
        new = NewDispatch(area_id=county.east.id, title="护栏损坏", place="村口")
        task = await open_dispatch(tx, SYSTEM, jobs, new, now=NOW)
        await send_to(tx, SYSTEM, jobs, Order(dispatch_id=task.id, now=NOW), unit.id)
    return Site(
        database=database,
        jobs=jobs,
        phones=phones,
        sender=LinkSender(
            database=database, clock=clock, send_note=phones, link_base=BASE + "/", zone=UTC
        ),
        receiver=receiver,
        unit=unit,
        silent=silent,
        task=task.id,
    )


def _receiver(county: County, *, is_enabled: bool = True) -> Receiver:
    return Receiver(
        name="王强的手机",
        area_id=county.east.id,
        kind=ReceiverKind.WEBHOOK,
        options={"address": "https://hooks.example.org/x"},
        template="{{ alert.reason }}",
        is_enabled=is_enabled,
    )


def _unit(county: County, name: str, receiver_id: int | None) -> Unit:
    return Unit(
        area_id=county.east.id, name=name, kind=UnitKind.GRID_OFFICER, receiver_id=receiver_id
    )


@pytest.mark.threat("T24")
async def test_a_task_that_is_sent_brings_its_unit_a_link_of_its_own(site: Site) -> None:
    async with site.database.transaction() as tx:
        await defer_link(tx, site.jobs, dispatch_id=site.task, unit_id=site.unit.id)  # again
        waiting = await tx.tuples(
            "SELECT args::text FROM procrastinate_jobs WHERE task_name = %(name)s", {"name": SEND}
        )
    # One job for what was asked twice, and nothing in it that opens anything.
    assert len(waiting) == 1
    assert await site.links() == 0
    await site.send(dispatch=site.task, unit=site.unit.id)
    (to, note), token = site.phones.notes[0], site.phones.token("/phone/task")
    assert to == site.receiver.id
    assert "护栏损坏" in note.title
    assert "东村 · 村口" in note.text
    assert token.reveal() not in repr(note)
    async with site.database.transaction() as tx:
        link = await find(tx, token, NOW)
        assert (link.purpose, link.dispatch_id, link.unit_id) == (
            Purpose.TASK,
            site.task,
            site.unit.id,
        )
        stored = await tx.scalar(str, "SELECT row_to_json(l)::text FROM phone_links l")
    assert token.reveal() not in str(stored)
    assert [step.what for step in await site.history()][-1] == "link_sent"
    # Given to somebody else before the message left: the first one gets nothing.
    async with site.database.transaction() as tx:
        order = Order(dispatch_id=site.task, now=NOW)
        await send_to(tx, SYSTEM, site.jobs, order, site.silent.id)
    await site.send(dispatch=site.task, unit=site.unit.id)
    assert len(site.phones.notes) == 1
    await site.send(dispatch=site.task, unit=site.silent.id)
    step = (await site.history())[-1]
    assert (step.what, step.note, step.unit_name) == ("link_not_sent", NO_RECEIVER, "李敏")
    async with site.database.transaction() as tx:
        with pytest.raises(NotFound):
            await find(tx, token, NOW)
        await take_back(tx, SYSTEM, Order(dispatch_id=site.task, note="x", now=NOW))
    await site.send(dispatch=site.task, unit=site.silent.id)
    assert [step.what for step in await site.history()][-1] == "returned"


async def test_a_link_that_reached_nobody_is_forgotten_and_the_desk_is_told(site: Site) -> None:
    site.phones.trouble = TryAgain("no answer within 10 s")
    with pytest.raises(TryAgain):
        await site.send(dispatch=site.task, unit=site.unit.id)
    assert await site.links() == 0
    waits = (await site.history())[-1]
    assert (waits.what, waits.note) == ("link_waits", "no answer within 10 s; it is tried again")
    with pytest.raises(TryAgain):
        await site.send(2, dispatch=site.task, unit=site.unit.id)
    assert (await site.history())[-1] == waits
    await site.send(len(RETRY_WAITS_S) + 1, dispatch=site.task, unit=site.unit.id)
    assert (await site.history())[-1].note == "no answer within 10 s"
    site.phones.trouble = Rejected("HTTP 410")
    await site.send(dispatch=site.task, unit=site.unit.id)
    last = (await site.history())[-1]
    assert (last.what, last.note) == ("link_not_sent", "HTTP 410")
    assert await site.links() == 0
    homeless = LinkSender(
        database=site.database, clock=clock, send_note=site.phones, link_base="", zone=UTC
    )
    await homeless.send(Job(id=1, args={"dispatch": site.task, "unit": site.unit.id}, attempt=1))
    assert (await site.history())[-1].note == NO_ADDRESS


async def test_a_duty_room_gets_its_question_with_its_time(site: Site, county: County) -> None:
    async with site.database.transaction() as tx:
        call = await _ask(tx, county, site.receiver.id)
    await site.send(call=call)
    token = site.phones.token("/phone/call")
    assert "11-22 16:35" in site.phones.notes[-1][1].text
    late = NOW + timedelta(seconds=300) + LATE_ANSWER
    async with site.database.transaction() as tx:
        link = await find(tx, token, late - timedelta(seconds=1))
        assert (link.call_id, link.unit_name) == (call, "东村值班室")
        with pytest.raises(NotFound):
            await find(tx, token, late)
        await tx.execute("UPDATE room_calls SET state = 'answered', answered_at = now()")
    await site.send(call=call)
    assert len(site.phones.notes) == 1
    # Whatever is long over is swept away by the next link.
    async with site.database.transaction() as tx:
        later = NOW + timedelta(days=2)
        await issue(tx, SYSTEM, now=later, dispatch_id=site.task, unit_id=site.unit.id)
    assert await site.links() == 1


async def _ask(tx: Transaction, county: County, receiver_id: int) -> int:
    room = DutyRoom(area_id=county.east.id, name="东村值班室", receiver_id=receiver_id)
    kept = await add_room(tx, SYSTEM, room)
    call = await tx.scalar(
        int,
        "INSERT INTO room_calls (room_id, room_name, area_id, asked_at, answer_by, code)"
        " VALUES (%(room)s, %(name)s, %(area)s, %(now)s, %(until)s, '0472') RETURNING id",
        {
            "room": kept.id,
            "name": kept.name,
            "area": county.east.id,
            "now": NOW,
            "until": NOW + timedelta(seconds=300),
        },
    )
    assert call is not None
    return call


@dataclass(slots=True)
class Postbox(Notifier):
    """A way out that keeps what it is given."""

    messages: list[Message] = field(default_factory=list)
    trouble: TryAgain | Rejected | None = None

    async def send(self, message: Message) -> str:
        if self.trouble is not None:
            raise self.trouble
        self.messages.append(message)
        return "taken"


async def test_a_note_leaves_by_the_receivers_own_way_out_without_its_template(
    site: Site, county: County
) -> None:
    postbox = Postbox()
    sender = Sender({ReceiverKind.WEBHOOK: postbox}, Wording(zone=UTC))
    notes = NoteSender(database=site.database, clock=clock, sender=sender)
    note = Note(title="任务", text="东村", link=Secret(f"{BASE}/phone/task#abc"))
    await notes(site.receiver.id, note)
    await notes(site.receiver.id, note)
    first, second = postbox.messages
    assert (first.note, first.text, first.receiver.id) == (note, "", site.receiver.id)
    assert first.message_id != second.message_id
    for trouble in (TryAgain("later", after_s=7), Rejected("never")):
        postbox.trouble = trouble
        with pytest.raises(type(trouble), match=str(trouble)):
            await notes(site.receiver.id, note)
    async with site.database.transaction() as tx:
        off = await add_receiver(tx, SYSTEM, _receiver(county, is_enabled=False))
    for number, why in ((off.id, "switched off"), (off.id + 1, "no such receiver")):
        with pytest.raises(Rejected, match=why):
            await notes(number, note)
