"""What may be pushed to a device, and who gets the reply."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from adapters.mqtt.commands import PendingCommands, build_command, check_command
from adapters.mqtt.payloads import CommandReply
from hub.domain.devices import Json
from hub.domain.errors import DeviceUnreachable, Invalid


def test_a_command_as_devices_read_it() -> None:
    args: dict[str, Json] = {"relay": 1, "on": True, "text": "值班 room-2", "list": [1, 2.5, None]}
    check_command("s1", "relay.set", args)
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert json.loads(build_command("x1", "relay.set", args, now=now, timeout_s=10)) == {
        "id": "x1",
        "do": "relay.set",
        "args": args,
        "expires_at": "2026-11-22T00:00:10.000+00:00",
    }


@pytest.mark.threat("T33")
@pytest.mark.parametrize(
    "do",
    ["", "Relay.set", "relay set", "relay;reboot", "a\n", "$(x)", "../x", ".", "a..b", "x" * 40],
)
def test_command_names_that_are_refused(do: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_command("s1", do, {})
    assert caught.value.field == "do"


@pytest.mark.threat("T33")
@pytest.mark.parametrize(
    "value",
    [";reboot", "a|b", "`id`", "$(id)", "a&b", "a>b", "a\nb", "a\0b", "'", '"', "a\\b", "{}", "*",
     "-rf", "x" * 201, float("nan"), float("inf"), 10**400, {"a": 1}, [[1]], ["a;b"], [0] * 65],
)  # fmt: skip
def test_arguments_that_are_refused(value: Json) -> None:
    with pytest.raises(Invalid) as caught:
        check_command("s1", "relay.set", {"key": value})
    assert caught.value.field == "args.key"
    assert "reboot" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "a b", "a;b", "1a", "x" * 33])
def test_argument_names_that_are_refused(key: str) -> None:
    with pytest.raises(Invalid):
        check_command("s1", "relay.set", {key: 1})


def test_too_many_arguments() -> None:
    with pytest.raises(Invalid):
        check_command("s1", "relay.set", {f"a{n}": 1 for n in range(33)})


@pytest.mark.parametrize("device", ["", "a/b", "+", "#", "..", "a\nb"])
def test_devices_that_are_refused(device: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_command(device, "relay.set", {})
    assert caught.value.field == "device"


async def test_only_the_asked_device_answers_and_only_once() -> None:
    pending = PendingCommands()
    waiting = asyncio.create_task(pending.wait("s1", "x1", timeout_s=5))
    await asyncio.sleep(0)
    pending.resolve(CommandReply(device="s2", id="x1", body={"ok": False}))
    pending.resolve(CommandReply(device="s1", id="x2", body={"ok": False}))
    pending.resolve(CommandReply(device="s1", id="x1", body={"ok": True}))
    pending.resolve(CommandReply(device="s1", id="x1", body={"ok": False}))
    assert await waiting == {"ok": True}
    pending.resolve(CommandReply(device="s1", id="x1", body={}))


async def test_no_answer() -> None:
    with pytest.raises(DeviceUnreachable, match="s1 did not answer"):
        await PendingCommands().wait("s1", "x1", timeout_s=0)


async def test_link_that_dies_fails_who_waits() -> None:
    pending = PendingCommands()
    waiting = asyncio.create_task(pending.wait("s1", "x1", timeout_s=5))
    await asyncio.sleep(0)
    pending.fail(DeviceUnreachable("gone"))
    with pytest.raises(DeviceUnreachable, match="gone"):
        await waiting
