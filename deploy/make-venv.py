"""Makes the virtual environment: ``make-venv.py FOLDER LOCKFILE``. Standard library only."""

import subprocess
import sys
import venv
from pathlib import Path


def main() -> int:
    """Create the environment when it is missing and install what the lock file names."""
    folder, lock = Path(sys.argv[1]), Path(sys.argv[2])
    if sys.version_info < (3, 11):
        found = ".".join(map(str, sys.version_info[:2]))
        sys.stderr.write(f"gengfu needs Python 3.11 or later, this is {found}: set PYTHON=\n")
        return 1
    pip = folder / "bin" / "pip"
    if not pip.exists():
        try:
            venv.create(folder, with_pip=True)
        except subprocess.CalledProcessError:
            sys.stderr.write("no pip for new environments: apt-get install python3-venv\n")
            return 1
    for arguments in (
        ("--require-hashes", "--requirement", str(lock)),
        ("--no-build-isolation", "--no-deps", "--editable", "."),
    ):
        command = [str(pip), "install", "--quiet", "--disable-pip-version-check", *arguments]
        done = subprocess.run(command, check=False)
        if done.returncode != 0:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
