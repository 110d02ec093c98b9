"""Servers that live and die with the hub: starting, claiming a folder, ending (design §4).

A server started here ends when the hub does, even on ``kill -9``, by the kernel's parent-death
signal. That signal is bound to the *thread* that started the server, not to the process: a
server started from a worker thread would end with that thread. :func:`spawn` therefore refuses
to run anywhere but on the main thread. Everything here blocks: call it outside the event loop.
"""

import contextlib
import fcntl
import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hub.domain.errors import ConfigError

LEASH = Path(__file__).with_name("leash.py")
SHORT_COMMAND_TIMEOUT_S = 120.0  # initdb on a slow disk; anything longer hangs
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH")  # PG* and the like never reach a server


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceUser:
    """The unprivileged user a server runs as when the hub runs as root."""

    name: str
    uid: int
    gid: int


def find_service_user(*names: str, owner_of: Path | None = None) -> ServiceUser | None:
    """Return whom to run a server as; None means the hub's own user, which is not root.

    Whoever already owns ``owner_of`` comes first, then the first of ``names`` that exists.

    Raises:
        ConfigError: the hub runs as root and none of the users exists.
    """
    if os.geteuid() != 0:
        return None
    if owner_of is not None and owner_of.exists():
        found = owner_of.stat()
        if found.st_uid != 0:
            return ServiceUser(name=str(found.st_uid), uid=found.st_uid, gid=found.st_gid)
    for name in names:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return ServiceUser(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    msg = f"servers must not run as root and no user {' or '.join(names)} exists: create one"
    raise ConfigError(msg)


def make_folder(path: Path, *, mode: int, owner: ServiceUser | None = None) -> None:
    """Create a folder or bring an existing one to this mode and owner; parents stay as they are.

    Raises:
        ConfigError: the disk is full or read-only, or something else is in the way.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if owner is not None:
                os.fchown(descriptor, owner.uid, owner.gid)
            os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise refused(path, error) from error


def refused(path: Path, error: OSError) -> ConfigError:
    """Say that a path cannot be used and what to look at."""
    reason = error.strerror or str(error)
    if isinstance(error, FileExistsError | NotADirectoryError):
        reason = f"{error.filename or path} is not a folder"
    return ConfigError(
        f"cannot use {path}: {reason}; data_dir must be on a disk that is "
        "writable, has space left, and belongs to the user who runs the hub"
    )


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole, readable by the hub's user only."""
    draft = path.with_name(path.name + ".new")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise refused(path, error) from error


class FolderClaim:
    """A lock on a data folder: held until :meth:`release` or the end of the process."""

    def __init__(self, path: Path, *, what: str) -> None:
        """Claim the folder that holds ``path``.

        Raises:
            ConfigError: another process holds it; the message names its pid.
        """
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise refused(path, error) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._file, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            msg = (
                f"{what} in {path.parent} is in use by process {holder}: "
                "stop that hub or give this one another data_dir"
            )
            raise ConfigError(msg) from error
        os.truncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let go of the folder; a second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def spawn(
    command: Sequence[str],
    *,
    cwd: Path,
    output: IO[bytes] | int,
    user: ServiceUser | None = None,
    death_signal: signal.Signals = signal.SIGINT,
) -> subprocess.Popen[bytes]:
    """Start a server that gets ``death_signal`` the moment the hub is gone.

    It runs in a session of its own (a Ctrl-C in the terminal reaches the hub alone) with a
    small environment. ``command[0]`` is an absolute path. Main thread only, see above.
    """
    if threading.current_thread() is not threading.main_thread():
        msg = "servers are started from the main thread: they end with the thread that started them"
        raise RuntimeError(msg)
    return _start(command, cwd=cwd, output=output, user=user, death_signal=death_signal)


def run(
    command: Sequence[str], *, cwd: Path, user: ServiceUser | None = None, text: str = ""
) -> tuple[int, str]:
    """Run a short command as a service user; return its exit status and everything it said.

    Any thread: the thread waits for the command, so neither outlives the other.
    """
    process = _start(
        command,
        cwd=cwd,
        output=subprocess.PIPE,
        user=user,
        death_signal=signal.SIGKILL,
        stdin=subprocess.PIPE,
    )
    with process:
        try:
            said, _ = process.communicate(text.encode(), timeout=SHORT_COMMAND_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
        except BaseException:  # Ctrl-C: leave nothing behind
            process.kill()
            raise
    return process.returncode, said.decode("utf-8", "replace").strip()


def end(process: subprocess.Popen[bytes], *steps: tuple[signal.Signals, float]) -> None:
    """End a server by signals of growing weight, each with its patience in seconds."""
    for number, patience_s in steps:
        if process.poll() is not None:
            return
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
            return
    process.kill()
    process.wait()


def last_lines(path: Path, count: int = 8) -> list[str]:
    """Return the last lines of a log, or none when it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 64 * 1024))
            return file.read().decode("utf-8", "replace").splitlines()[-count:]
    except OSError:
        return []


def _start(
    command: Sequence[str],
    *,
    cwd: Path,
    output: IO[bytes] | int,
    user: ServiceUser | None,
    death_signal: signal.Signals,
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    uid, gid = (user.uid, user.gid) if user else (-1, -1)
    identity = [str(os.getpid()), str(int(death_signal)), str(uid), str(gid)]
    return subprocess.Popen(  # noqa: S603  # no shell: the command is a list of our own
        [sys.executable, "-I", "-S", str(LEASH), *identity, *command],
        cwd=cwd,
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=_environment(os.environ),
        start_new_session=True,
    )


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    kept = {name: variables[name] for name in KEPT_VARIABLES if name in variables}
    return {"LC_ALL": "C", "TZ": "UTC", **kept}
