"""A hub of few words in a process of its own, to be killed, and what the tests ask of it."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from hub.runtime.embedded_postgres import EmbeddedPostgres
from hub.runtime.postgres_binaries import find_bin_dir

ROOT = Path(__file__).parents[2]

# Each starts one embedded part, says its pid and address, and waits to be ended.
DATABASE_HUB = """
import sys
from pathlib import Path
from hub.runtime.embedded_postgres import EmbeddedPostgres
with EmbeddedPostgres.start(Path(sys.argv[1])) as database:
    print(database.pid, database.url, flush=True)
    sys.stdin.read()
"""
BROKER_HUB = """
import sys
from pathlib import Path
from hub.runtime.embedded_broker import EmbeddedBroker
with EmbeddedBroker.start(Path(sys.argv[1]), server=sys.argv[2]) as broker:
    print(broker.pid, broker.url, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningHub:
    """The hub's process, and pid and address of the part that it runs."""

    process: subprocess.Popen[str]
    server_pid: int
    url: str


def start_hub(
    script: str, *arguments: str, python: str = sys.executable, uid: int | None = None
) -> RunningHub:
    """Start a hub and wait until its part runs."""
    packages = find_bin_dir().parents[2]
    process = subprocess.Popen(
        [python, "-c", script, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{packages}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        user=uid,
        group=uid,
        extra_groups=[] if uid is not None else None,
    )
    assert process.stdout is not None
    pid, url = process.stdout.readline().split()
    return RunningHub(process=process, server_pid=int(pid), url=url)


def finish(hub: RunningHub) -> None:
    """Let the hub end, or collect a killed one."""
    for pipe in (hub.process.stdin, hub.process.stdout):
        assert pipe is not None
        pipe.close()
    hub.process.wait(30)


def is_running(pid: int) -> bool:
    """Tell whether the process lives; one that nobody collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in {"Z", "X"}


def seconds_until_gone(pid: int, limit_s: float) -> float:
    """Wait for a process to end; return how long that took."""
    begun = time.monotonic()
    while is_running(pid) and time.monotonic() - begun < limit_s:
        time.sleep(0.005)
    return time.monotonic() - begun


def put(url: str, value: int) -> None:
    """Commit one row."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [value])


def kept(url: str) -> list[int]:
    """Return every row that was committed."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT value FROM kept ORDER BY 1").fetchall()
    return [int(row[0]) for row in rows]


def create_database(data_dir: Path) -> Path:
    """Make a stopped database with one row, to be copied, never changed."""
    with EmbeddedPostgres.start(data_dir) as database:
        put(database.url, 1)
    return data_dir


def copy_database(created: Path, data_dir: Path) -> Path:
    """Copy a stopped database with all owners and rights."""
    subprocess.run(["/bin/cp", "-a", str(created), str(data_dir)], check=True)
    return data_dir
