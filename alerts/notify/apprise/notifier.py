"""Messages to chat robots and push services, through Apprise.

The addresses are the receiver's secret: they hold tokens, and nothing of them is ever said. Every
connection asks the address policy about the very address it is made to. Each of several addresses
gets a message once while this process lives, however often the others make it try again.
"""

import asyncio
import base64
import json
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final

from alerts.notify.apprise.services import (
    Service,
    check_addresses,
    service_of,
    split_addresses,
)
from alerts.notify.apprise.workers import WorkerLost, Workers
from alerts.telling.messages import Wording, clean, fit, write_subject, write_text
from alerts.telling.notifier import Options
from alerts.telling.waiting import LATER, parse_retry_after
from alerts.telling.words import Language
from hub.domain.addresses import AddressPolicy
from hub.domain.alerts import Step
from hub.domain.devices import Json
from hub.domain.errors import Rejected, TryAgain
from hub.domain.events import Severity
from hub.domain.notifications import Message
from hub.domain.ports import Clock

# For each service; two rounds of them fit the 30 s a notifier has.
TIMEOUT_S = 12.0
MOST_REMEMBERED = 1_000
_ID: Final = {Language.ZH: "消息编号:", Language.EN: "Message "}
# What services would make a mention, a link or markup of.
_INERT: Final = str.maketrans({"<": "\uff1c", ">": "\uff1e", "@": "\uff20", "`": "'"})
_KINDS: Final = {
    Severity.CRITICAL: "failure",
    Severity.WARNING: "warning",
    Severity.INFO: "info",
}


class AppriseOptions(Options):
    """The language; the addresses are the receiver's secret."""

    language: Language = Language.ZH


class AppriseNotifier:
    """Sends a message to each of a receiver's services."""

    def __init__(
        self,
        policy: AddressPolicy,
        clock: Clock,
        zone: tzinfo,
        *,
        link_base: str = "",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._wording = Wording(zone=zone, link_base=link_base)
        self._workers = Workers(policy)
        self._settled: OrderedDict[str, dict[int, str]] = OrderedDict()

    async def send(self, message: Message) -> str:
        """Deliver one; see :class:`alerts.telling.notifier.Notifier`."""
        text = message.receiver.secret.reveal()
        try:
            options = AppriseOptions.model_validate(dict(message.receiver.options))
            check_addresses(text)
        except ValueError:
            msg = "the receiver's addresses or options cannot be used"
            raise Rejected(msg) from None
        addresses = split_addresses(text)
        settled = self._remembered(message.message_id)
        later: list[TryAgain] = []

        async def send_to(place: int, address: str) -> None:
            try:
                await self._send_one(message, address, options.language)
            except TryAgain as error:
                later.append(error)
            except Rejected as error:
                settled[place] = str(error)
            else:
                settled[place] = ""

        # At once: a service that hangs must not keep it from the others.
        waiting = [place for place in range(len(addresses)) if place not in settled]
        await asyncio.gather(*(send_to(place, addresses[place]) for place in waiting))
        return _conclude(len(addresses), settled, later)

    def forget(self) -> None:
        """Forget which services took what."""
        self._settled.clear()

    async def close(self) -> None:
        """End the processes that wait for work."""
        await self._workers.close()

    async def _send_one(self, message: Message, address: str, language: Language) -> None:
        service = service_of(address)
        request = build_request(message, address, language, self._wording)
        try:
            answer = await self._workers.ask(request, timeout_s=self._timeout_s)
        except TimeoutError:
            msg = f"no answer within {self._timeout_s:g} s"
            raise TryAgain(msg) from None
        except (WorkerLost, OSError):
            msg = "the process that speaks to the service was lost"
            raise TryAgain(msg) from None
        judge(answer, service, self._clock())

    def _remembered(self, message_id: str) -> dict[int, str]:
        settled = self._settled.setdefault(message_id, {})
        self._settled.move_to_end(message_id)
        while len(self._settled) > MOST_REMEMBERED:
            self._settled.popitem(last=False)
        return settled


def _conclude(count: int, settled: Mapping[int, str], later: list[TryAgain]) -> str:
    """Later counts more than never: what is settled is not tried again."""
    refusals = [why for why in settled.values() if why]
    line = f"accepted by {len(settled) - len(refusals)} of {count} services"
    whys = [str(error) for error in later] + refusals
    if whys:
        line = f"{line}; {whys[0]}"
    if later:
        waits = [error.after_s for error in later if error.after_s is not None]
        raise TryAgain(line, after_s=max(waits, default=None))
    if len(refusals) == count:
        raise Rejected(line)
    return line


def build_request(
    message: Message, address: str, language: Language, wording: Wording
) -> dict[str, Json]:
    """What the process is asked to send; the text fits the service and is inert in it."""
    service = service_of(address)
    subject = "" if message.text else write_subject(message, language)
    tail = f"\n{_ID[language]}{message.message_id}"
    title = fit(inert(subject), service.longest // 3, language)
    room = service.longest - len((title + tail).encode()) - 8
    text = message.text or write_text(message, language, wording, longest=room)
    body = fit(inert(text.removeprefix(subject).lstrip("\n")), room, language)
    return {
        "module": service.module,
        "name": service.name,
        "address": address,
        "title": title,
        "body": body + tail,
        "kind": _kind(message),
        "picture": base64.b64encode(message.picture).decode("ascii"),
    }


def inert(text: str) -> str:
    """No mention, no markup, no link with a text of its own, whatever service shows it."""
    return text.translate(_INERT).replace("](", "] (")


def judge(answer: Mapping[str, Json], service: Service, now: datetime) -> None:
    """Decide what an answer of the process means; returns when the message was taken.

    Raises:
        TryAgain: the service may take it later.
        Rejected: it refuses it for good, or may not be spoken to.
    """
    if refusal := str(answer.get("refusal") or ""):
        raise Rejected(clean(refusal))
    found = answer.get("statuses")
    listed = found if isinstance(found, list) else []
    statuses = [status for status in listed if isinstance(status, int)]
    bad = [status for status in statuses if not 200 <= status < 300]
    line = f"HTTP {bad[-1]}" if bad else ""
    after_s = parse_retry_after(str(answer.get("after") or ""), now)
    if any(status in LATER or status >= 500 for status in bad):
        raise TryAgain(line, after_s=after_s)
    if bad:
        raise Rejected(line)
    if trouble := str(answer.get("trouble") or ""):
        is_tls = trouble == "tls"
        why = "its certificate does not verify" if is_tls else f"the connection failed: {trouble}"
        raise TryAgain(clean(why))
    _judge_code(str(answer.get("body") or ""), service, after_s)
    if not answer.get("taken"):
        msg = "the service did not take it"
        raise TryAgain(msg) if not statuses else Rejected(msg)


def _judge_code(body: str, service: Service, after_s: float | None) -> None:
    if not service.success:
        return
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        msg = "the service's answer cannot be read"
        raise TryAgain(msg)
    for key, good in service.success.items():
        code = said.get(key)
        if isinstance(code, int) and code != good:
            msg = f"the service answers with {key} {code}"
            raise TryAgain(msg, after_s=after_s) if code in service.later else Rejected(msg)


def _kind(message: Message) -> str:
    if message.note is not None:
        return _KINDS[Severity.INFO]
    if all(told.step.step is Step.RESOLVED for told in message.notifications):
        return "success"
    present = {told.alert.severity for told in message.notifications}
    return next(kind for level, kind in _KINDS.items() if level in present)
