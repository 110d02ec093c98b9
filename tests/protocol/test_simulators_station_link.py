"""A station's link to the broker when the other end does not do its part."""

import asyncio
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from hub.domain.errors import ConfigError
from hub.simulators.station_link import StationLink, parse_broker
from tests.protocol.mosquitto import run_mosquitto
from tests.protocol.mqtt_parts import serve
from tests.protocol.simulated import NOBODY, until


async def test_signing_off_closes_even_when_nothing_can_be_sent_any_more(tmp_path: Path) -> None:
    async with run_mosquitto(tmp_path) as broker:
        client = Client(CallbackAPIVersion.VERSION2)
        link = await StationLink.open(client, parse_broker(broker.address))
        await until(lambda: link.is_welcome)
        await broker.freeze()
        client.publish("gengfu/v1/station-1/reading", b"x" * 20_000_000, qos=1)
        link.sign_off()
        assert not link.is_open


async def test_what_is_no_broker_welcomes_nobody_and_is_left() -> None:
    async with serve(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        client = Client(CallbackAPIVersion.VERSION2)
        link = await StationLink.open(client, parse_broker(f"mqtt://127.0.0.1:{port}"))
        await asyncio.sleep(0.2)
        assert not link.is_welcome
        link.hang_up()
        assert not link.is_open


async def test_hanging_up_reads_to_the_end_of_what_had_come(tmp_path: Path) -> None:
    async with run_mosquitto(tmp_path) as broker:
        client, sender = (Client(CallbackAPIVersion.VERSION2) for _ in range(2))
        link = await StationLink.open(client, parse_broker(broker.address))
        other = await StationLink.open(sender, parse_broker(broker.address))
        await until(lambda: link.is_welcome and other.is_welcome)
        client.subscribe("gengfu/v1/x/command", qos=1)
        await broker.wait_for_log("Sending SUBACK")
        link.pause()
        for _ in range(100):
            sender.publish("gengfu/v1/x/command", b"{}", qos=1)
        await broker.wait_for_log("Sending PUBLISH", times=100)
        link.hang_up()
        assert not link.is_open
        other.sign_off()


async def test_an_absent_broker_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="refused"):
        await StationLink.open(Client(CallbackAPIVersion.VERSION2), parse_broker(NOBODY))


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("mqtt://127.0.0.1", "127.0.0.1", 1883),
        ("mqtt://broker.example:1884", "broker.example", 1884),
        ("mqtt://[::1]:1885", "::1", 1885),
    ],
)
def test_reads_the_address_of_a_broker(address: str, host: str, port: int) -> None:
    broker = parse_broker(address)
    assert (broker.host, broker.port) == (host, port)


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1:1883", "mqtt://", "mqtt://h:x", "mqtts://h", "mqtt://[::1"]
)
def test_refuses_what_is_no_address_of_a_broker(address: str) -> None:
    with pytest.raises(ConfigError, match="mqtt://127"):
        parse_broker(address)
