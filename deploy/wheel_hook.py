"""Builds the console into every wheel, unless what is there is newer than its sources."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CONSOLE = Path("hub", "web", "console")
LEFT_OUT = {"dist", "node_modules"}


class ConsoleHook(BuildHookInterface[Any]):
    """An editable installation takes the console where `make` builds it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before the wheel is packed."""
        del build_data
        root = Path(self.root)
        if version != "editable" and not is_current(root / CONSOLE):
            command = [sys.executable, str(root / "deploy" / "console.py"), "build"]
            subprocess.run(command, cwd=root, check=True)  # noqa: S603  # a list of our own


def is_current(console: Path) -> bool:
    """Tell whether the built page is newer than everything it is made of."""
    page = console / "dist" / "index.html"
    if not page.is_file():
        return False
    built = page.stat().st_mtime
    made_of = (
        path
        for top in console.iterdir()
        if top.name not in LEFT_OUT
        for path in [top, *top.rglob("*")]
    )
    return all(path.stat().st_mtime <= built for path in made_of if path.is_file())
