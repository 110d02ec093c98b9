"""What every way out promises, tested against a real server.

A test module gives a ``rig`` fixture and a subclass of :class:`NotifierContract`.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import pytest

from alerts.notifier import Notifier
from hub.domain.alerts import Alert, Step
from hub.domain.devices import Json
from hub.domain.errors import DeliveryError, Rejected, TryAgain
from hub.domain.notifications import Message, ReceiverKind
from tests.unit.alerts_examples import ALERT, MESSAGE_ID, message, notification, receiver

# Unlike anything else, so that finding it anywhere is a leak.
SECRET = "Gf-7x!kQ2vLz0Secret"  # 19 characters
TOKEN = "tok-93hd82hd"
# What the notifiers of the rigs are given as their time-out.
SHORT_S = 0.5
SERVER_LOGGERS = frozenset({"mail.log", "mail.debug", "aiohttp.access"})
HOSTILE_NAME = "<img src=x onerror=alert(1)>\r\nBcc: everyone@example.org\r\n\r\n{{7*7}}\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message as the far end got it: the id it can tell repeats by, and all of its text."""

    message_id: str
    text: str


class Rig(Protocol):
    """A notifier and the real server it talks to."""

    notifier: Notifier
    kind: ReceiverKind
    options: Mapping[str, Json]

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

    def message(self, rig: Rig, *, step: Step = Step.FIRED, alert: Alert = ALERT) -> Message:
        to = receiver(rig.kind, rig.options, SECRET)
        return message(notification(step=step, alert=alert), to=to)

    async def test_it_delivers_and_says_so(self, rig: Rig) -> None:
        detail = await rig.notifier.send(self.message(rig))
        assert detail
        assert "\n" not in detail
        (got,) = await rig.received(1)
        assert MESSAGE_ID in got.message_id
        assert "村口 1" in got.text

    async def test_a_repeat_bears_the_same_id(self, rig: Rig) -> None:
        for _ in range(2):
            await rig.notifier.send(self.message(rig))
        first, second = await rig.received(2)
        assert first.message_id == second.message_id

    async def test_resolved_is_told_apart(self, rig: Rig) -> None:
        await rig.notifier.send(self.message(rig, step=Step.RESOLVED))
        (got,) = await rig.received(1)
        assert "已恢复" in got.text

    async def test_refused_for_now_means_try_again(self, rig: Rig) -> None:
        await rig.refuse()
        with pytest.raises(TryAgain):
            await rig.notifier.send(self.message(rig))

    async def test_a_silent_server_means_try_again_in_time(self, rig: Rig) -> None:
        await rig.hang()
        started = time.monotonic()
        with pytest.raises(TryAgain):
            await rig.notifier.send(self.message(rig))
        assert time.monotonic() - started < SHORT_S * 4

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
        assert time.monotonic() - started < SHORT_S

    @pytest.mark.parametrize("options", [{}, {"surprise": 1}])
    async def test_options_it_cannot_use_are_a_refusal(
        self, rig: Rig, options: Mapping[str, Json]
    ) -> None:
        broken = message(to=receiver(rig.kind, options, SECRET))
        with pytest.raises(Rejected):
            await rig.notifier.send(broken)

    @pytest.mark.threat("T7")
    @pytest.mark.threat("T10")
    async def test_names_from_devices_stay_inside_the_message(self, rig: Rig) -> None:
        alert = replace(
            ALERT, device_name=HOSTILE_NAME, rule_name=HOSTILE_NAME, area_name=HOSTILE_NAME
        )
        await rig.notifier.send(self.message(rig, alert=alert))
        (got,) = await rig.received(1)
        assert "49" not in got.text.replace(MESSAGE_ID, "")
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
            said += await rig.notifier.send(sent)
        except DeliveryError as error:
            said += f"{error} {error!r}"
        # What the far end's libraries log is not ours.
        said += "".join(r.getMessage() for r in caplog.records if r.name not in SERVER_LOGGERS)
        if trouble == "none":
            said += (await rig.received(1))[0].text
        assert SECRET not in said
        log_and_error = said.replace(repr(sent), "")
        assert TOKEN not in log_and_error
