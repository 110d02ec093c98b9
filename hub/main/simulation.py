"""`gengfu simulate`: a village of simulated cameras and sensors, alone."""

import asyncio
import json
import os
import random
import secrets
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop

from config.schema import Settings
from hub.domain.errors import ConfigError
from hub.domain.secrets import Credentials, Secret
from hub.main.console import reported_errors
from hub.main.servers import configured_broker
from hub.main.storage import SettingsOption, read_settings
from hub.main.surroundings import utc_now
from hub.runtime.embedded_broker import EmbeddedBroker

if TYPE_CHECKING:
    from hub.simulators.village import VillageOptions


def simulate(
    cameras: Annotated[int, typer.Option(min=0, max=250, help="ONVIF cameras.")] = 6,
    sensors: Annotated[int, typer.Option(min=0, max=1000, help="MQTT stations.")] = 8,
    first_host: Annotated[str, typer.Option(help="Address of the first camera.")] = "127.0.1.1",
    control_port: Annotated[int, typer.Option(help="Where faults are ordered; 0: any.")] = 8099,
    plan: Annotated[Path | None, typer.Option(help="JSON file with logins.", hidden=True)] = None,
    settings: SettingsOption = None,
) -> None:
    """Run simulated devices on loopback: cameras on 127.0.1.N, sensors at the broker.

    Sensors use mqtt.url of the settings; without it a broker of their own is started.
    """
    # PyAV and OpenCV take a second to load; no other command needs them here.
    from hub.simulators.village import VillageOptions  # noqa: PLC0415

    with reported_errors():
        loaded = read_settings(settings, dict(os.environ), level="warning")
        with _logins(loaded, plan) as given:
            options = VillageOptions(
                cameras=cameras,
                sensors=sensors,
                first_host=first_host,
                control_port=control_port,
                area=given["area"],
                credentials=Credentials(
                    username=given["camera_user"], password=Secret(given["camera_password"])
                ),
                broker_address=given["broker"],
                broker_credentials=Credentials(
                    username=given["broker_user"], password=Secret(given["broker_password"])
                ),
            )
            uvloop.run(_run(options, given if plan is None else {}))


async def _run(options: "VillageOptions", shown: Mapping[str, str]) -> None:
    from hub.simulators.village import Village  # noqa: PLC0415 - see above

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Village(options, clock=utc_now, rng=random.Random()) as village:  # noqa: S311 - not for secrets
        sys.stdout.write(f"{options.cameras} cameras, {options.sensors} stations run\n")
        for key, value in shown.items():
            sys.stdout.write(f"  {key} {value}\n")
        control = village.control_url
        sys.stdout.write(f"  devices and faults: curl {control}/\n")
        sys.stdout.write(f"  break one: curl -X POST {control}/camera-1/fault/cable-cut\n")
        sys.stdout.write(f"  mend it: curl -X DELETE {control}/camera-1/fault\n")
        sys.stdout.flush()
        await stop.wait()


@contextmanager
def _logins(settings: Settings, plan: Path | None) -> Iterator[Mapping[str, str]]:
    """The logins of a plan file, or new ones for a village that runs alone."""
    if plan is not None:
        try:
            yield json.loads(plan.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            msg = f"{plan} is no plan of a village: {error}"
            raise ConfigError(msg) from error
        return
    login = {
        "area": "",
        "camera_user": "admin",
        "camera_password": secrets.token_urlsafe(9),
    }
    if settings.mqtt.url is not None:
        address, credentials = configured_broker(settings)
        yield login | _broker(address, credentials)
        return
    with EmbeddedBroker.start(settings.data_dir.absolute() / "simulators") as broker:
        yield login | _broker(broker.url, broker.simulators)


def _broker(address: str, credentials: Credentials) -> dict[str, str]:
    return {
        "broker": address,
        "broker_user": credentials.username,
        "broker_password": credentials.password.reveal(),
    }
