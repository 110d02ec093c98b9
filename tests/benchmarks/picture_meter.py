"""What the parties of a benchmark cost: CPU seconds and memory, as Linux counts them."""

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from tests.benchmarks.camera_farm import cpu_s


@dataclass(slots=True, kw_only=True)
class Meter:
    """CPU seconds of the parties, and the wall's."""

    farm: int
    database: str
    wall: float = 0.0
    hub: float = 0.0
    judges: float = 0.0
    backends: float = 0.0

    def read(self) -> "Meter":
        """The counters now."""
        return replace(
            self,
            wall=time.perf_counter(),
            hub=time.process_time(),
            judges=sum(cpu_s(pid) for pid in self.judge_pids()),
            backends=sum(cpu_s(pid) for pid in self._backend_pids()),
        )

    def since(self, before: "Meter") -> "Meter":
        """What passed since then."""
        now = self.read()
        return replace(
            now,
            wall=now.wall - before.wall,
            hub=now.hub - before.hub,
            judges=now.judges - before.judges,
            backends=now.backends - before.backends,
        )

    def judge_pids(self) -> list[int]:
        """The children of this process that judge."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == os.getpid() and int(stat.parent.name) != self.farm:
                found.append(int(stat.parent.name))
        return found

    def _backend_pids(self) -> list[int]:
        """The database server's processes that serve us; none where it is another machine's."""
        with psycopg.connect(self.database) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid()"
            ).fetchall()
        return [pid for (pid,) in rows if Path(f"/proc/{pid}/stat").exists()]


def rss_mib(pid: int) -> float:
    """The most memory a process ever held."""
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return int(fields["VmHWM"].split()[0]) / 1024
