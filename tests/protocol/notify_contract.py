"""What every way out promises, tested against a real server.

A test module gives a ``rig`` fixture and a subclass of :class:`NotifierContract`, or of
:class:`HttpContract` for those that speak HTTP.
"""

import asyncio
import re
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

import pytest

from alerts.telling.notifier import Notifier
from hub.domain.alerts import Alert, Step
from hub.domain.devices import Json
from hub.domain.errors import DeliveryError, Rejected, TryAgain
from hub.domain.notes import Note
from hub.domain.notifications import Message, ReceiverKind
from hub.domain.secrets import Secret
from tests.protocol.notify_far_end import PIECE, FarEnd
from tests.unit.alerts_examples import ALERT, MESSAGE_ID, message, notification, receiver

# Unlike anything else, so that finding it anywhere is a leak.
SECRET = "Gf-7x!kQ2vLz0Secret"  # 19 characters
TOKEN = "tok-93hd82hd"
NOTE_TOKEN = "aB_3-x" * 7
# The time-out of a rig's hasty notifier; the other one has time enough for a slow machine.
SHORT_S = 0.4
PATIENT_S = 10.0
SERVER_LOGGERS = frozenset({"mail.log", "mail.debug", "aiohttp.access"})
HOSTILE_NAME = "<img src=x onerror=alert(1)>\r\nBcc: everyone@example.org\r\n\r\n{{7*7}}\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message as the far end got it: the id it can tell repeats by, and all of its text."""

    message_id: str
    text: str


class Rig(Protocol):
    """Two notifiers and the real server they talk to."""

    notifier: Notifier
    hasty: Notifier
    kind: ReceiverKind
    options: Mapping[str, Json]
    secret: str

    async def received(self, count: int) -> list[Received]:
        """Wait until so many messages have arrived; return all that have."""

    async def refuse(self) -> None:
        """From now on the server turns messages away for the time being."""

    async def hang(self) -> None:
        """From now on the server takes connections and says nothing."""

    async def close(self) -> None:
        """The server is gone."""


class NotifierContract:
    """Run by every notifier's test module."""

    # What a receiver's configuration looks like that the notifier cannot use.
    broken: Mapping[str, Json] = {"surprise": 1}
    # Programs get both languages at once.
    english: Mapping[str, Json] = {}

    def message(self, rig: Rig, *, step: Step = Step.FIRED, alert: Alert = ALERT) -> Message:
        to = receiver(rig.kind, rig.options, rig.secret)
        return message(notification(step=step, alert=alert), to=to)

    async def test_it_delivers_and_a_repeat_bears_the_same_id(self, rig: Rig) -> None:
        for _ in range(2):
            detail = await rig.notifier.send(self.message(rig))
            assert detail
            assert "\n" not in detail
        first, *others = await rig.received(1)
        assert MESSAGE_ID in first.message_id
        assert {other.message_id for other in others} <= {first.message_id}
        assert "村口 1" in first.text

    async def test_resolved_and_exercises_are_told_apart(self, rig: Rig) -> None:
        drill = replace(ALERT, drill_id=3)
        await rig.notifier.send(self.message(rig, step=Step.RESOLVED, alert=drill))
        (got,) = await rig.received(1)
        assert "已恢复" in got.text
        assert "演练" in got.text

    async def test_it_speaks_the_receivers_language(self, rig: Rig) -> None:
        to = receiver(rig.kind, {**rig.options, **self.english}, rig.secret)
        await rig.notifier.send(message(to=to))
        (got,) = await rig.received(1)
        assert "[Critical] Firing: Camera offline (device offline), 村口 1" in got.text

    async def test_a_digest_says_how_many_and_counts_what_it_leaves_out(self, rig: Rig) -> None:
        told = [
            notification(number=1),
            notification(number=2, step=Step.RESOLVED, alert=replace(ALERT, device_name="村口 2")),
        ]
        to = receiver(rig.kind, rig.options, rig.secret)
        digest = replace(message(*told, to=to, count=23), tally={Step.FIRED: 20, Step.RESOLVED: 3})
        await rig.notifier.send(digest)
        (got,) = await rig.received(1)
        assert "共 23 条告警:告警 20 条,已恢复 3 条" in got.text
        assert "村口 1" in got.text
        assert "村口 2" in got.text
        assert "21" in got.text

    async def test_a_note_brings_its_link_whole_and_no_log_has_it(
        self, rig: Rig, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(0)
        link = f"https://hub.example.org/phone/task#{NOTE_TOKEN}"
        note = Note(title=HOSTILE_NAME + "护栏损坏", text="东村\n村口", link=Secret(link))
        to = receiver(rig.kind, rig.options, rig.secret)
        sent = replace(message(to=to), note=note, notifications=(), count=0)
        detail = await rig.notifier.send(sent)
        (got,) = await rig.received(1)
        assert link in got.text
        assert "护栏损坏" in got.text
        assert "村口" in got.text
        assert not [line for line in got.text.splitlines() if line.lower().startswith("bcc")]
        ours = [r.getMessage() for r in caplog.records if r.name not in SERVER_LOGGERS]
        assert NOTE_TOKEN not in detail + repr(sent) + "".join(ours)

    async def test_refused_for_now_means_try_again(self, rig: Rig) -> None:
        await rig.refuse()
        with pytest.raises(TryAgain):
            await rig.notifier.send(self.message(rig))

    async def test_a_silent_server_means_try_again_in_time(self, rig: Rig) -> None:
        await rig.hang()
        with pytest.raises(TryAgain):
            await rig.hasty.send(self.message(rig))

    async def test_nobody_there_means_try_again(self, rig: Rig) -> None:
        await rig.close()
        with pytest.raises(TryAgain):
            await rig.notifier.send(self.message(rig))

    async def test_it_ends_at_once_when_cancelled(self, rig: Rig) -> None:
        await rig.hang()
        sending = asyncio.create_task(rig.notifier.send(self.message(rig)))
        await asyncio.sleep(SHORT_S / 4)
        assert not sending.done()
        started = time.monotonic()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert time.monotonic() - started < PATIENT_S / 2

    async def test_options_it_cannot_use_are_a_refusal(self, rig: Rig) -> None:
        for options in ({**rig.options, "surprise": 1}, self.broken):
            with pytest.raises(Rejected):
                await rig.notifier.send(message(to=receiver(rig.kind, options, "")))

    @pytest.mark.threat("T7")
    @pytest.mark.threat("T10")
    async def test_names_from_devices_stay_inside_the_message(self, rig: Rig) -> None:
        alert = replace(
            ALERT, device_name=HOSTILE_NAME, rule_name=HOSTILE_NAME, area_name=HOSTILE_NAME
        )
        await rig.notifier.send(self.message(rig, alert=alert))
        (got,) = await rig.received(1)
        # The far end's port, and the message's own number, may hold these digits.
        said = re.sub(r"127\.0\.0\.1:\d+", "", got.text.replace(MESSAGE_ID, ""))
        assert "49" not in said
        assert "\x00" not in got.text
        assert not [line for line in got.text.splitlines() if line.lower().startswith("bcc")]

    @pytest.mark.threat("T31")
    @pytest.mark.parametrize("trouble", ["none", "refuse", "hang", "close"])
    async def test_it_leaks_no_secret(
        self, rig: Rig, trouble: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(0)
        sent = self.message(rig)
        said = repr(sent)
        if trouble != "none":
            await getattr(rig, trouble)()
        try:
            said += (
                await rig.hasty.send(sent) if trouble == "hang" else await rig.notifier.send(sent)
            )
        except DeliveryError as error:
            said += "".join(traceback.format_exception(error))
        # What the far end's libraries log is not ours.
        said += "".join(r.getMessage() for r in caplog.records if r.name not in SERVER_LOGGERS)
        if trouble == "none":
            said += (await rig.received(1))[0].text
        assert SECRET not in said
        log_and_error = said.replace(repr(sent), "")
        assert TOKEN not in log_and_error


class HttpRig(Rig, Protocol):
    """A rig whose far end is an HTTP server."""

    far_end: FarEnd


TAKEN: Final = (200, 201, 202, 204)
REFUSED: Final = (301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 410, 413, 422)
LATER: Final = (408, 421, 425, 429, 500, 502, 503, 504, 599)
# The header and the least and most seconds it may mean.
WAITS: Final = (
    ("7", 7, 7),
    ("Sun, 22 Nov 2026 00:00:30 GMT", 30, 30),
    ("Sat, 21 Nov 2026 00:00:00 GMT", 0, 0),
    ("999999999", 3600, 3600),
    ("Fri, 01 Jan 2100 00:00:00 GMT", 3600, 3600),
)


class HttpContract(NotifierContract):
    """For what speaks HTTP; the clock of the notifiers stands at 2026-11-22T00:00:00Z."""

    taken: tuple[int, ...] = TAKEN

    def fresh(self, rig: HttpRig, number: int) -> Message:
        """Another message, for notifiers that remember what was taken."""
        return replace(self.message(rig), message_id=f"{MESSAGE_ID[:-6]}{number:06}")

    async def test_retry_table(self, rig: HttpRig) -> None:
        for status in self.taken:
            rig.far_end.status = status
            assert await rig.notifier.send(self.fresh(rig, status))
        for status in REFUSED:
            rig.far_end.status = status
            with pytest.raises(Rejected, match=str(status)):
                await rig.notifier.send(self.fresh(rig, status))
        for status in LATER:
            rig.far_end.status = status
            with pytest.raises(TryAgain, match=str(status)) as caught:
                await rig.notifier.send(self.fresh(rig, status))
            assert caught.value.after_s is None

    async def test_a_server_says_when_to_come_back(self, rig: HttpRig) -> None:
        rig.far_end.status = 429
        for number, (value, least, most) in enumerate(WAITS):
            rig.far_end.extra = f"Retry-After: {value}\r\n"
            with pytest.raises(TryAgain) as caught:
                await rig.notifier.send(self.fresh(rig, number))
            assert caught.value.after_s is not None
            assert least <= caught.value.after_s <= most
        for number, value in enumerate(("soon", "-5", "", "1e9", "9" * 400), start=50):
            rig.far_end.extra = f"Retry-After: {value}\r\n"
            with pytest.raises(TryAgain) as caught:
                await rig.notifier.send(self.fresh(rig, number))
            assert caught.value.after_s is None

    @pytest.mark.threat("T13")
    async def test_a_redirect_is_not_followed(self, rig: HttpRig) -> None:
        for number, status in enumerate((301, 302, 303, 307, 308)):
            rig.far_end.status = status
            rig.far_end.extra = f"Location: http://127.0.0.1:{rig.far_end.port}/inside\r\n"
            with pytest.raises(Rejected):
                await rig.notifier.send(self.fresh(rig, number))
        assert not [got for got in rig.far_end.requests if got.target.startswith("/inside")]

    @pytest.mark.parametrize("mode", ["half", "rubbish"])
    async def test_a_broken_answer_means_try_again(self, rig: HttpRig, mode: str) -> None:
        rig.far_end.mode = mode
        with pytest.raises(TryAgain):
            await rig.notifier.send(self.message(rig))

    async def test_an_answer_that_drips_means_try_again_in_time(self, rig: HttpRig) -> None:
        rig.far_end.mode = "drip"
        with pytest.raises(TryAgain):
            await rig.hasty.send(self.message(rig))

    async def test_an_endless_answer_is_not_read(self, rig: HttpRig) -> None:
        rig.far_end.mode = "huge"
        assert await rig.notifier.send(self.message(rig))
        # What sockets on both sides buffer, and no more.
        assert rig.far_end.sent < 400 * len(PIECE)
