"""Commands to devices: what may be sent, and who waits for which reply.

What goes out is executed by firmware that nobody here wrote, maybe by a shell: names and values
with characters that mean something to one are refused.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.mqtt.fields import Fault, parse_number
from adapters.mqtt.payloads import CommandReply
from adapters.mqtt.topics import device_name_fault
from hub.domain.devices import Json
from hub.domain.errors import DeviceError, DeviceUnreachable, Invalid

MAX_ARGS = 32
MAX_LIST = 64
MAX_WAITING = 1_000  # commands without their reply yet

_DO = re.compile(r"[a-z_]{1,32}(\.[a-z_]{1,32}){0,3}\Z")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}\Z")
_TEXT = re.compile(r"(?!-)[\w .,:+@=/-]{0,200}\Z")


def check_command(device: str, do: str, args: Mapping[str, Json]) -> None:
    """Refuse a command that must not be sent.

    Raises:
        Invalid: names the field and what it may hold.
    """
    fault = device_name_fault(device)
    if fault is not None:
        raise Invalid(fault, field="device")
    if not _DO.match(do):
        msg = "a command is named like relay.set: small letters, underscores and dots"
        raise Invalid(msg, field="do")
    if len(args) > MAX_ARGS:
        msg = f"a command takes at most {MAX_ARGS} arguments"
        raise Invalid(msg, field="args")
    for key, value in args.items():
        if not _KEY.match(key):
            msg = "an argument's name has letters, digits and underscores, at most 32"
            raise Invalid(msg, field="args")
        _check_value(key, value)


def build_command(
    id_: str, do: str, args: Mapping[str, Json], *, now: datetime, timeout_s: float
) -> bytes:
    """The payload of a checked command. After ``expires_at`` a device must not act on it."""
    expires_at = (now + timedelta(seconds=timeout_s)).isoformat(timespec="milliseconds")
    document = {"id": id_, "do": do, "args": dict(args), "expires_at": expires_at}
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def _check_value(key: str, value: Json) -> None:
    if isinstance(value, list):
        if len(value) > MAX_LIST or any(isinstance(item, list) for item in value):
            msg = f"a list holds at most {MAX_LIST} plain values"
            raise Invalid(msg, field=f"args.{key}")
        for item in value:
            _check_value(key, item)
        return
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        if not _TEXT.match(value):
            msg = "text holds letters, digits, spaces and . , : + - @ = / _ and begins without -"
            raise Invalid(msg, field=f"args.{key}")
        return
    try:
        parse_number(value)
    except Fault as fault:
        raise Invalid(str(fault), field=f"args.{key}") from None


@dataclass(frozen=True, slots=True)
class _Waiting:
    device: str
    reply: asyncio.Future[Mapping[str, Json]]


class PendingCommands:
    """Commands sent and not yet answered."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}

    async def wait(self, device: str, id_: str, *, timeout_s: float) -> Mapping[str, Json]:
        """Wait for the reply with this id from this very device.

        Raises:
            DeviceUnreachable: there was none in time.
        """
        if len(self._waiting) >= MAX_WAITING:
            msg = f"{MAX_WAITING} commands wait for their reply already"
            raise DeviceUnreachable(msg)
        reply: asyncio.Future[Mapping[str, Json]] = asyncio.get_running_loop().create_future()
        self._waiting[id_] = _Waiting(device, reply)
        try:
            async with asyncio.timeout(timeout_s):
                return await reply
        except TimeoutError:
            msg = f"{device} did not answer the command within {timeout_s:g} s"
            raise DeviceUnreachable(msg) from None
        finally:
            del self._waiting[id_]

    def resolve(self, reply: CommandReply) -> None:
        """A reply came; one that nobody waits for is late or another process's."""
        waiting = self._waiting.get(reply.id)
        if waiting and waiting.device == reply.device and not waiting.reply.done():
            waiting.reply.set_result(reply.body)

    def fail(self, error: DeviceError) -> None:
        """The link died: nobody will answer."""
        for waiting in self._waiting.values():
            if not waiting.reply.done():
                waiting.reply.set_exception(error)
