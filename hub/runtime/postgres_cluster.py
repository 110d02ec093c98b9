"""The files of the embedded database: creating, configuring, checking them.

Layout below ``data_dir/postgres``, which the hub's user owns::

    cluster/    the database itself, owned by whoever runs the server
    log/        one server log per weekday, overwritten after a week
    socket/     the Unix socket, unless its path would be too long
    password    of the role the hub connects as; lock; start.log

Every server process has ``cluster`` as its working folder and names it ``/proc/self/cwd``: the
server then needs no right to the folders above it, so that nothing has to be opened up when the
hub runs as root, and no path of ours ever appears in a generated file.
"""

import hashlib
import re
import secrets
import shutil
from pathlib import Path

from hub.domain.errors import ConfigError
from hub.domain.secrets import Secret
from hub.runtime.postgres_binaries import Binaries
from hub.runtime.processes import ServiceUser, make_folder, refused, run, write_private

HERE = "/proc/self/cwd"
ROLE = "gengfu"
DATABASE = "gengfu"
FIRST_MAJOR_WITH_BUILTIN_LOCALES = 17
SPACE_FOR_A_NEW_CLUSTER = 256 * 1024 * 1024  # bytes; 40 MB at once, the rest for write-ahead log

SETTINGS = """\
# Written at every start. Settings of your own go into local.conf beside this file.
listen_addresses = ''
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
max_connections = 60
password_encryption = 'scram-sha-256'

# Nothing acknowledged is ever lost: leave these on.
fsync = on
synchronous_commit = on
full_page_writes = on

# Sized for a machine of 4 GB that also runs the hub.
shared_buffers = '256MB'
effective_cache_size = '1GB'
work_mem = '16MB'
maintenance_work_mem = '128MB'
min_wal_size = '128MB'
max_wal_size = '1GB'
wal_compression = on
checkpoint_timeout = '5min'
random_page_cost = 1.1
jit = off

timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
logging_collector = on
log_directory = '../log'
log_filename = 'postgresql-%a.log'
log_rotation_age = '1d'
log_rotation_size = 0
log_truncate_on_rotation = on
log_min_duration_statement = '2s'
# Values of parameters may be secret.
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
cluster_name = 'gengfu'
"""

# One role, over the socket, with its password; the superuser cannot log in at all.
CLIENTS = f"local all {ROLE} scram-sha-256\n"

_FAILURE = re.compile(r"\b(ERROR|FATAL|PANIC):|could not|cannot|No space left")
_PASSWORD = re.compile(r"([A-Za-z0-9_\-]{43}) ([0-9a-f]{16})\n\Z")


def create_cluster(binaries: Binaries, cluster: Path, *, user: ServiceUser | None) -> None:
    """Create the database cluster as a whole or not at all.

    Raises:
        ConfigError: the disk is too small or the programs fail.
    """
    draft = cluster.with_name("cluster.new")
    if draft.exists():
        shutil.rmtree(draft)  # the remains of a start that was cut off
    make_folder(draft, mode=0o700, owner=user)
    free = shutil.disk_usage(draft).free
    if free < SPACE_FOR_A_NEW_CLUSTER:
        draft.rmdir()
        msg = (
            f"only {free // 2**20} MB free in {cluster.parent}: a new database needs "
            f"{SPACE_FOR_A_NEW_CLUSTER // 2**20} MB; free some space or set another data_dir"
        )
        raise ConfigError(msg)
    locale = ["--locale=C"]
    if binaries.major >= FIRST_MAJOR_WITH_BUILTIN_LOCALES:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options = ["-D", HERE, "--username=postgres", "--auth=reject", "--encoding=UTF8", *locale]
    status, said = run([binaries.command("initdb"), *options], cwd=draft, user=user)
    if status != 0:
        shutil.rmtree(draft, ignore_errors=True)
        msg = f"cannot create the database in {cluster}: {_ending(said)}"
        raise ConfigError(msg)
    script = (
        f"CREATE ROLE {ROLE} LOGIN CREATEDB\n"
        f"GRANT pg_monitor TO {ROLE}\n"
        f"CREATE DATABASE {DATABASE} OWNER {ROLE}\n"
    )
    _run_single(binaries, draft, script, user=user)
    draft.replace(cluster)


def check_version(binaries: Binaries, cluster: Path) -> None:
    """Refuse a cluster of another major version.

    Raises:
        ConfigError: naming both versions and the way out.
    """
    try:
        found = (cluster / "PG_VERSION").read_text("ascii").strip()
    except (OSError, ValueError):
        found = ""
    if not found.isdigit():
        msg = (
            f"the database in {cluster} is damaged, its PG_VERSION cannot be read: "
            "move the folder away and restore a backup"
        )
        raise ConfigError(msg)
    if found != str(binaries.major):
        msg = (
            f"the database in {cluster} is of PostgreSQL {found}, but "
            f"{binaries.folder} holds {binaries.major}: run the hub with the old binaries, "
            "or move its data with pg_dump or pg_upgrade, or restore a backup"
        )
        raise ConfigError(msg)


def read_password(path: Path) -> Secret | None:
    """Return the password kept in a file; None when it is missing or damaged."""
    try:
        match = _PASSWORD.match(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if match is None or _checksum(match[1]) != match[2]:
        return None
    return Secret(match[1])


def load_password(
    binaries: Binaries, cluster: Path, path: Path, *, user: ServiceUser | None
) -> Secret:
    """Return the hub's password; set a new one when its file is missing or damaged."""
    kept = read_password(path)
    if kept is not None:
        return kept
    password = secrets.token_urlsafe(32)
    _run_single(binaries, cluster, f"ALTER ROLE {ROLE} PASSWORD '{password}'\n", user=user)
    write_private(path, f"{password} {_checksum(password)}\n")
    return Secret(password)


def write_settings(cluster: Path, *, socket: str, user: ServiceUser | None) -> None:
    """Write both settings files, with the rights of whoever owns the cluster.

    A process of the service user does it: root never writes into a folder of another user,
    where a link could lead it elsewhere.
    """
    quoted = socket.replace("\\", "\\\\").replace("'", "''")
    settings = SETTINGS.format(socket=quoted)
    if (cluster / "local.conf").exists():
        settings += "include 'local.conf'\n"
    files = {"postgresql.conf": settings, "pg_hba.conf": CLIENTS}
    for name, text in files.items():
        status, said = run(["/bin/sh", "-c", f"cat > {name}"], cwd=cluster, user=user, text=text)
        if status != 0:
            raise refused(cluster / name, OSError(0, _ending(said)))


def _run_single(
    binaries: Binaries, cluster: Path, script: str, *, user: ServiceUser | None
) -> None:
    """Run statements, one per line, while no server runs."""
    command = [binaries.command("postgres"), "--single", "-D", HERE, "postgres"]
    status, said = run(command, cwd=cluster, user=user, text=script)
    errors = [line for line in said.splitlines() if re.search(r"\b(ERROR|FATAL|PANIC):", line)]
    if status != 0 or errors:
        msg = f"cannot set up the database in {cluster}: {_ending(said)}"
        raise ConfigError(msg)


def _checksum(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()[:16]


def _ending(text: str, count: int = 4) -> str:
    """Return the lines that say what failed, or else the last ones."""
    lines = text.splitlines()
    failures = [line for line in lines if _FAILURE.search(line)]
    return " | ".join(failures[:count] or lines[-count:])
