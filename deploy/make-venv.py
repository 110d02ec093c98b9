"""Makes the virtual environment: ``make-venv.py FOLDER LOCKFILE``. Standard library only.

Needs Python 3.11 and nothing else: where pip is missing for new environments (Debian without
python3-venv) it takes the machine's own pip, or unpacks Debian's package of it. Packages come
from wherever the machine's pip is set to look, and must have the hashes of the lock file.
"""

import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST_PYTHON = (3, 11)
# Where Debian keeps the wheels that its own python3-venv installs from, and their package.
WHEELS = "usr/share/python-wheels"
WHEEL_PACKAGE = "python3-pip-whl"
FROM_FILE = ("install", "--quiet", "--no-index", "--disable-pip-version-check")
FROM_LOCK = ("install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r")
FROM_CHECKOUT = (*FROM_FILE, "--no-build-isolation", "--no-deps", "--editable", str(ROOT))
NO_PIP = """\
make-venv.py: there is no pip for new environments. Install it and call this again:
  apt-get install python3-venv      (as root, or ask whoever administrates this machine)
"""


def main(arguments: Sequence[str]) -> int:
    """Create the environment when it is missing and install what the lock file names."""
    if len(arguments) != 2:
        sys.stderr.write("usage: make-venv.py FOLDER LOCKFILE\n")
        return 2
    if sys.version_info[:2] < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:2]))
        sys.stderr.write(f"gengfu needs Python 3.11 or later, this is {found}: set PYTHON=\n")
        return 1
    folder, lock = Path(arguments[0]).absolute(), Path(arguments[1]).absolute()
    python = folder / "bin" / "python"
    try:
        if not is_whole(python) and not make(folder):
            sys.stderr.write(NO_PIP)
            return 1
    except OSError as error:
        sys.stderr.write(f"make-venv.py: cannot make {folder}: {error}\n")
        return 1
    sys.stderr.write(f"installing what {lock.name} names; the first time takes minutes\n")
    for chosen in ((*FROM_LOCK, str(lock)), FROM_CHECKOUT):
        status = run([python, "-m", "pip", *chosen])
        if status != 0:
            return status
    return 0


def is_whole(python: Path) -> bool:
    """Tell whether the environment has a pip that runs, on the version of Python that runs this."""
    question = "import pip, sys; sys.exit(sys.version_info[:2] != (%d, %d))"
    asked = question % sys.version_info[:2]
    return python.exists() and run([python, "-c", asked], is_quiet=True) == 0


def make(folder: Path) -> bool:
    """Make the environment anew; False when no pip can be had for it."""
    # Emptied only if it is an environment: the folder's name may be a slip of the pen.
    venv.create(folder, with_pip=False, symlinks=True, clear=(folder / "pyvenv.cfg").exists())
    python = folder / "bin" / "python"
    # -I: nothing of the caller's PYTHONPATH or folder; it must be the environment's own.
    if run([python, "-I", "-m", "ensurepip", "--default-pip"], is_quiet=True) == 0:
        return True
    with tempfile.TemporaryDirectory() as scratch:
        return any(
            run([python, wheel / "pip", *FROM_FILE, wheel], is_quiet=True) == 0
            for wheel in find_wheels(Path(scratch))
        )


def find_wheels(scratch: Path) -> Iterator[Path]:
    """Wheels of pip: the machine's own, else Debian's, which apt verifies; neither needs root."""
    yield from sorted(Path("/", WHEELS).glob("pip-*.whl"))
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if apt is None or dpkg is None:
        return
    run([apt, "-qq", "download", WHEEL_PACKAGE], cwd=scratch, is_quiet=True)
    for package in scratch.glob("*.deb"):
        run([dpkg, "-x", package, scratch], is_quiet=True)
    yield from sorted((scratch / WHEELS).glob("pip-*.whl"))


def run(command: Sequence[str | Path], *, cwd: Path = ROOT, is_quiet: bool = False) -> int:
    """Run a command and return its exit status."""
    output = subprocess.DEVNULL if is_quiet else None
    done = subprocess.run(  # noqa: S603  # no shell: the command is a list of our own
        command, cwd=cwd, stdout=output, stderr=output, check=False
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
