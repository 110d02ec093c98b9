"""The embedded database: PostgreSQL in the data folder, started and ended with the hub.

It listens on a Unix socket in a folder of mode 0700 and nowhere else; one role, with a
generated password, may log in. The server is gone with the hub, even on ``kill -9``, and what
was committed stays (design §4). Its files: :mod:`hub.runtime.postgres_cluster`; its programs:
:mod:`hub.runtime.postgres_binaries`.

Everything here blocks and belongs on the main thread, before the event loop starts and after it
ended: the kernel ends the server with the thread that started it.
"""

import contextlib
import hashlib
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from hub.domain.errors import ConfigError
from hub.domain.secrets import Secret
from hub.runtime import postgres_binaries, postgres_cluster
from hub.runtime.processes import (
    FolderClaim,
    ServiceUser,
    end,
    find_service_user,
    last_lines,
    make_folder,
    refused,
    spawn,
)

PORT = 5432  # names the socket file; nothing listens on a network port
LONGEST_SOCKET_PATH = 107  # bytes, the kernel's limit without the closing zero
START_TIMEOUT_S = 180.0  # replay of 1 GB of write-ahead log on a slow disk
PREDECESSOR_TIMEOUT_S = 60.0  # a killed hub's server still writes its last checkpoint
SHUTDOWN_STEPS = ((signal.SIGINT, 45.0), (signal.SIGQUIT, 10.0))
# Nothing was committed through it, and a damaged server may never end the polite way.
FAILED_START_STEPS = ((signal.SIGINT, 3.0), (signal.SIGQUIT, 5.0))
POLL_S = 0.005
PREDECESSOR_POLL_S = 0.05
ANSWER_TIMEOUT_S = 30


class EmbeddedPostgres:
    """A running embedded database; make one by :meth:`start`."""

    def __init__(
        self,
        *,
        process: subprocess.Popen[bytes],
        claim: FolderClaim,
        socket: Path,
        url: str,
        version: str,
        bin_dir: Path,
    ) -> None:
        self._bin_dir = bin_dir
        self._process = process
        self._claim = claim
        self._socket = socket
        self.url = url
        self.version = version

    @classmethod
    def start(cls, data_dir: Path, *, bin_dir: Path | None = None) -> Self:
        """Start the database of this data folder, creating it when there is none.

        Blocks; main thread only. ``bin_dir`` is any PostgreSQL's bin folder instead of the
        one installed with the hub.

        Raises:
            ConfigError: it cannot start; the message says why and what to do.
        """
        home = data_dir.absolute() / "postgres"
        cluster = home / "cluster"
        user = find_service_user("postgres", "nobody", owner_of=cluster)
        # Without the right to list: a service user passes through to its own folders only.
        make_folder(home, mode=0o711 if user else 0o700)
        claim = FolderClaim(home / "lock", what="the embedded database")
        try:
            return cls._start(home, bin_dir or postgres_binaries.find_bin_dir(), user, claim)
        except OSError as error:
            claim.release()
            raise refused(home, error) from error
        except BaseException:
            claim.release()
            raise

    @classmethod
    def _start(
        cls, home: Path, bin_dir: Path, user: ServiceUser | None, claim: FolderClaim
    ) -> Self:
        cluster = home / "cluster"
        binaries = postgres_binaries.open_binaries(bin_dir, home=home, user=user)
        make_folder(home / "log", mode=0o700, owner=user)
        if cluster.exists():
            postgres_cluster.check_version(binaries, cluster)
            _await_predecessor(cluster)
        else:
            postgres_cluster.create_cluster(binaries, cluster, user=user)
        socket = _make_socket_folder(home, user)
        # Relative to the cluster, where it need not be reachable from the root folder.
        named = "../socket" if socket.parent == home else f'"{socket}"'
        postgres_cluster.write_settings(cluster, socket=named, user=user)
        password = postgres_cluster.load_password(binaries, cluster, home / "password", user=user)
        with (home / "start.log").open("wb") as output:
            process = spawn(
                [binaries.command("postgres"), "-D", postgres_cluster.HERE],
                cwd=cluster,
                output=output,
                user=user,
            )
        try:
            _await_ready(process, home)
            _check_answer(bin_dir, socket, password, home)
        except BaseException:
            end(process, *FAILED_START_STEPS)
            raise
        url = _build_url(password, socket)
        return cls(
            process=process,
            claim=claim,
            socket=socket,
            url=url,
            version=binaries.version,
            bin_dir=bin_dir,
        )

    @staticmethod
    def find_running(data_dir: Path) -> Secret | None:
        """Return the address of the database a running hub has started on this data folder.

        For short commands beside the hub; None when there is none and one may be started.
        """
        home = data_dir.absolute() / "postgres"
        cluster = home / "cluster"
        if not cluster.exists() or not _servers_in(cluster):
            return None
        password = postgres_cluster.read_password(home / "password")
        if password is None:
            return None
        user = find_service_user("postgres", "nobody", owner_of=cluster)
        return Secret(_build_url(password, _make_socket_folder(home, user)))

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Tell whether the server process still runs."""
        return self._process.poll() is None

    def revive(self, data_dir: Path) -> None:
        """Start the server again after it ended by itself, at the same address.

        Blocks; main thread only. Raises ConfigError as :meth:`start` does; then it may be
        tried again.
        """
        self.stop()
        fresh = type(self).start(data_dir, bin_dir=self._bin_dir)
        self._process, self._claim = fresh._process, fresh._claim  # noqa: SLF001 - its own class

    def stop(self) -> None:
        """End the server cleanly and let go of the data folder. Blocks; may be called twice."""
        end(self._process, *SHUTDOWN_STEPS)
        with contextlib.suppress(OSError):  # it is made again at the next start
            self._socket.rmdir()
        self._claim.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _build_url(password: Secret, socket: Path) -> str:
    role, database = postgres_cluster.ROLE, postgres_cluster.DATABASE
    return (
        f"postgresql://{role}:{password.reveal()}@/{database}"
        f"?host={quote(str(socket), safe='')}&port={PORT}"
    )


def _make_socket_folder(home: Path, user: ServiceUser | None) -> Path:
    """Return a folder of mode 0700 whose socket path the kernel accepts."""
    folder = home / "socket"
    if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) > LONGEST_SOCKET_PATH:
        base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
        mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
        folder = base / f"gengfu-{os.geteuid()}-{mark}"
        owner = user.uid if user else os.geteuid()
        with contextlib.suppress(FileNotFoundError):
            found = folder.lstat()
            if found.st_uid not in {owner, os.geteuid()}:
                msg = f"{folder} belongs to somebody else: remove it, or set TMPDIR"
                raise ConfigError(msg)
    make_folder(folder, mode=0o700, owner=user)
    return folder


def _await_predecessor(cluster: Path) -> None:
    """Wait until the server of a killed hub has ended, then remove the pid file it left."""
    deadline = time.monotonic() + PREDECESSOR_TIMEOUT_S
    while left := _servers_in(cluster):
        if time.monotonic() > deadline:
            msg = (
                f"a PostgreSQL server nobody watches over still runs in {cluster} "
                f"(process {left[0]}): end it with kill -INT {left[0]}"
            )
            raise ConfigError(msg)
        time.sleep(PREDECESSOR_POLL_S)
    # Nothing works in this folder, so whoever bears the pid in that file now is a stranger.
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def _servers_in(cluster: Path) -> list[int]:
    """Return the PostgreSQL processes whose working folder is the cluster."""
    found = []
    where = cluster.stat()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                here = (entry / "cwd").stat()
                name = (entry / "comm").read_text().strip()
                if os.path.samestat(here, where) and name == "postgres":
                    found.append(int(entry.name))
    return sorted(found)


def _await_ready(process: subprocess.Popen[bytes], home: Path) -> None:
    """Wait until the server says in its pid file that it takes connections.

    Raises:
        ConfigError: it ended or hangs; the message holds the last lines of its log.
    """
    pid_file = home / "cluster" / "postmaster.pid"
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None:
        with contextlib.suppress(OSError):
            lines = pid_file.read_text("utf-8", "replace").splitlines()
            if lines[:1] == [str(process.pid)] and [*lines[7:8], ""][0].strip() == "ready":
                return
        if time.monotonic() > deadline:
            break
        time.sleep(POLL_S)
    raise _start_failed(home, "")


def _check_answer(bin_dir: Path, socket: Path, password: Secret, home: Path) -> None:
    """Ask one question as the hub would: damage may show only when a database is opened."""
    psql = bin_dir / "psql"
    if not psql.exists():
        return
    role, database = postgres_cluster.ROLE, postgres_cluster.DATABASE
    options = ["-X", "-q", "-t", "-A", "-p", str(PORT), "-U", role, "-d", database]
    try:
        answer = subprocess.run(  # noqa: S603  # no shell: the command is a list of our own
            [str(psql), *options, "-h", str(socket), "-c", "SELECT count(*) FROM pg_class"],
            env={"PGPASSWORD": password.reveal(), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ANSWER_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _start_failed(home, "it does not answer") from error
    if answer.returncode != 0:
        raise _start_failed(home, answer.stderr.decode("utf-8", "replace").strip())


def _start_failed(home: Path, said: str) -> ConfigError:
    """Say why the server did not start: its last lines, and what to do about them."""
    lines = last_lines(home / "start.log")
    if any("redirecting log output" in line for line in lines):
        newest = max((home / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
        lines = _since_start(last_lines(newest, 60))[-10:]
    text = "\n  ".join([*lines, *said.splitlines()])
    if "No space left" in text:
        advice = "the disk is full: free some space"
    else:
        advice = "if its files are damaged, move the folder away and restore a backup"
    return ConfigError(
        f"the embedded database in {home / 'cluster'} does not start; {advice}. "
        f"Its last lines were:\n  {text}"
    )


def _since_start(lines: list[str]) -> list[str]:
    """Leave out what the log holds of earlier runs."""
    starts = [number for number, line in enumerate(lines) if "starting PostgreSQL" in line]
    return lines[starts[-1] :] if starts else lines
