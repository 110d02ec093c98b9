"""The embedded broker: mosquitto when the machine has it, else amqtt, on the loopback interface.

It starts and ends with the hub, even on ``kill -9`` (design §4). Nobody gets in without a
password, and a device may publish below its own user name only. Its files, below
``data_dir/broker``: :mod:`hub.runtime.broker_files`.

Everything here blocks. :meth:`EmbeddedBroker.start` belongs on the main thread, before the event
loop starts: the kernel ends the broker with the thread that started it. ``add_user`` and ``stop``
may block for a moment, from any thread.
"""

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from hub.domain.errors import ConfigError, Conflict
from hub.domain.secrets import Credentials, Secret
from hub.runtime import broker_files
from hub.runtime.processes import (
    FolderClaim,
    ServiceUser,
    end,
    find_service_user,
    last_lines,
    make_folder,
    refused,
    run,
    spawn,
)

Server = Literal["auto", "mosquitto", "amqtt"]

AMQTT_PROCESS = Path(__file__).with_name("amqtt_process.py")
START_TIMEOUT_S = 30.0
POLL_S = 0.01
ANSWER_TIMEOUT_S = 1.0  # whoever else has the port may never answer; then ask again
PORT_ATTEMPTS = 5  # somebody else may take a free port before the broker does
SHUTDOWN_STEPS = ((signal.SIGTERM, 20.0),)
OUTSIDE_PATH = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
FIRST_CLEAN_MOSQUITTO = (2, 0, 20)

_MOSQUITTO_LIMITS = (
    "keeps sessions and queued messages on disk, saved every {autosave_s} s and at a clean end: "
    "killed with -9 it loses what came since{old}"
)
_OLD_MOSQUITTO = (
    "; this version may send more than a client's Receive Maximum, 2.0.20 and later do not"
)
_AMQTT_LIMITS = (
    "for trying out: MQTT 3.1.1 only, nothing survives its restart, a message that is not "
    "acknowledged within 5 s (database away) or was sent right before its sender left may be "
    "lost, no limit on message size; install mosquitto or set mqtt.url"
)


class EmbeddedBroker:
    """A running embedded broker; make one by :meth:`start`."""

    def __init__(
        self, *, process: subprocess.Popen[bytes], files: "_Files", port: int, flavour: str
    ) -> None:
        self._process = process
        self._files = files
        self._changing = threading.Lock()
        self.port = port
        self.url = f"mqtt://127.0.0.1:{port}"
        self.flavour = flavour
        self.limits = _limits(flavour)

    @classmethod
    def start(cls, data_dir: Path, *, port: int = 0, server: Server = "auto") -> Self:
        """Start the broker of this data folder; ``port`` 0 takes a free one.

        Blocks; main thread only.

        Raises:
            ConfigError: it cannot start; the message says why and what to do.
        """
        program = None if server == "amqtt" else find_mosquitto()
        if program is None and server == "mosquitto":
            msg = "no mosquitto on this machine: install it or set mqtt.url"
            raise ConfigError(msg)
        files = _Files(data_dir.absolute() / "broker", is_mosquitto=program is not None)
        try:
            return cls._start(files, program, port)
        except OSError as error:
            files.claim.release()
            raise refused(files.home, error) from error
        except BaseException:
            files.claim.release()
            raise

    @classmethod
    def _start(cls, files: "_Files", program: Path | None, port: int) -> Self:
        files.write_users({})
        number = port
        for _ in range(PORT_ATTEMPTS if port == 0 else 1):
            number = port or _free_port()
            process = files.launch(program, number)
            if files.await_login(process, number):
                return cls(process=process, files=files, port=number, flavour=_flavour(program))
            end(process, *SHUTDOWN_STEPS)
            if not files.is_port_taken():
                break
        raise files.start_failed(number)

    @property
    def hub(self) -> Credentials:
        """The hub's own login; it may do everything."""
        return self._files.own[broker_files.HUB]

    @property
    def simulators(self) -> Credentials:
        """The simulators' login: a gateway that may publish for any device."""
        return self._files.own[broker_files.SIMULATORS]

    @property
    def pid(self) -> int:
        """The broker's process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Tell whether the broker process still runs."""
        return self._process.poll() is None

    def add_user(self, name: str, password: Secret) -> None:
        """Let a device log in, or change its password; it may use ``gengfu/v1/<name>/#``.

        Blocks for a moment; any thread. The broker knows the user within a second.

        Raises:
            Invalid: the name has characters that mean something in a topic or a file.
            Conflict: the name is one of the hub's own.
        """
        broker_files.check_username(name)
        if name in self._files.own:
            msg = f"the broker's user {name} belongs to the hub itself"
            raise Conflict(msg)
        with self._changing:
            self._files.write_users({name: password})
            self._process.send_signal(signal.SIGHUP)

    def revive(self, data_dir: Path) -> None:
        """Start the broker again after it ended by itself, on the same port.

        Blocks; main thread only. Raises ConfigError as :meth:`start` does; then it may be
        tried again.
        """
        self.stop()
        server: Server = "amqtt" if self.flavour.startswith("amqtt") else "mosquitto"
        fresh = type(self).start(data_dir, port=self.port, server=server)
        self._process, self._files = fresh._process, fresh._files  # noqa: SLF001 - its own class

    def stop(self) -> None:
        """End the broker cleanly and let go of its folder. Blocks; may be called twice."""
        end(self._process, *SHUTDOWN_STEPS)
        self._files.claim.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def find_mosquitto() -> Path | None:
    """Return the mosquitto program; Debian installs it outside an ordinary user's PATH."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *OUTSIDE_PATH))
    found = shutil.which("mosquitto", path=path)
    return Path(found).resolve() if found else None


class _Files:
    """The broker's folder, claimed, and what is started in it."""

    def __init__(self, home: Path, *, is_mosquitto: bool) -> None:
        self.home = home
        self.folder = home / "store"
        self.log = home / "broker.log"
        # amqtt runs in the hub's own interpreter, which another user need not reach.
        self.user: ServiceUser | None = None
        if is_mosquitto:
            self.user = find_service_user("mosquitto", "nobody", owner_of=self.folder)
        make_folder(home, mode=0o700)
        self.claim = FolderClaim(home / "lock", what="the embedded broker")
        try:
            make_folder(self.folder, mode=0o700, owner=self.user)
            self.own = broker_files.load_own_credentials(home / "credentials.json")
        except BaseException:
            self.claim.release()
            raise

    def write_users(self, added: dict[str, Secret]) -> None:
        """Bring the password file up to date: our own users, those on file, those added."""
        hashes = broker_files.load_users(self.folder)
        own = {name: credentials.password for name, credentials in self.own.items()}
        for name, password in (own | added).items():
            hashes[name] = broker_files.hash_password(
                password.reveal(), salt=secrets.token_bytes(12)
            )
        broker_files.write_files(
            self.folder, {"passwords": broker_files.build_users(hashes)}, user=self.user
        )

    def launch(self, program: Path | None, port: int) -> subprocess.Popen[bytes]:
        """Start the server in its folder; every path it is given is relative to that."""
        files = {"acl": broker_files.ACL, "mosquitto.conf": broker_files.build_settings(port)}
        broker_files.write_files(self.folder, files, user=self.user)
        if program is None:
            command = [sys.executable, "-I", str(AMQTT_PROCESS), ".", str(port)]
        else:
            command = [str(program), "-c", "mosquitto.conf"]
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("wb") as output:
            return spawn(
                command,
                cwd=self.folder,
                output=output,
                user=self.user,
                death_signal=signal.SIGTERM,
            )

    def await_login(self, process: subprocess.Popen[bytes], port: int) -> bool:
        """Wait until the broker lets the hub in; False when it ended or refuses."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):  # not listening yet
                is_let_in = _is_let_in(port, self.own[broker_files.HUB])
                return is_let_in and process.poll() is None
            time.sleep(POLL_S)
        return False

    def is_port_taken(self) -> bool:
        """Tell whether the log says that somebody else has the port."""
        return any("ddress already in use" in line for line in last_lines(self.log, 50))

    def start_failed(self, port: int) -> ConfigError:
        """Say why the broker did not start, and what to do."""
        lines = last_lines(self.log)
        text = "\n  ".join(lines) or "(nothing)"
        if self.is_port_taken():
            advice = f"port {port} is taken: end what uses it or choose another"
        elif any("persistent" in line or "database" in line for line in lines):
            advice = (
                f"{self.folder / 'mosquitto.db'} is damaged: move it away; retained and "
                "queued messages in it are lost, devices send their state again"
            )
        else:
            advice = f"see {self.log}"
        msg = f"the embedded broker does not start; {advice}. Its last lines were:\n  {text}"
        return ConfigError(msg)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def _is_let_in(port: int, credentials: Credentials) -> bool:
    """Log in once as the hub (MQTT 3.1.1 CONNECT, 3.1); raises OSError when nobody listens."""
    fields = ("gengfu-start", credentials.username, credentials.password.reveal())
    payload = b"".join(struct.pack("!H", len(text)) + text.encode() for text in fields)
    body = struct.pack("!H4sBBH", 4, b"MQTT", 4, 0b1100_0010, 10) + payload
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_TIMEOUT_S) as connection:
        connection.sendall(bytes((0x10, len(body))) + body)
        answer = connection.recv(4)
        connection.sendall(b"\xe0\x00")
    if answer[:1] != b"\x20":  # a stranger, or this very socket: the kernel may join it to itself
        msg = "no broker answers"
        raise ConnectionError(msg)
    return answer == b"\x20\x02\x00\x00"


def _flavour(program: Path | None) -> str:
    """Return the broker's name and version."""
    if program is None:
        return f"amqtt {version('amqtt')}"
    _, said = run([str(program), "-h"], cwd=Path("/"))
    found = re.search(r"mosquitto version (\S+)", said)
    return f"mosquitto {found[1] if found else '(unknown version)'}"


def _limits(flavour: str) -> str:
    name, _, number = flavour.partition(" ")
    if name == "amqtt":
        return f"{flavour}: {_AMQTT_LIMITS}"
    numbers = tuple(int(part) for part in re.findall(r"\d+", number)[:3])
    old = _OLD_MOSQUITTO if numbers < FIRST_CLEAN_MOSQUITTO else ""
    return f"{flavour}: " + _MOSQUITTO_LIMITS.format(autosave_s=broker_files.AUTOSAVE_S, old=old)
