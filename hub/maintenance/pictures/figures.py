"""What Prometheus is told of the judgement of pictures."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from hub.maintenance.pictures.evidence import EvidenceFolder

REMEMBERED: Final = timedelta(minutes=10)
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Result(StrEnum):
    """What came of a check."""

    GOOD = "good"
    SUSPECTED = "suspected"
    FAULTY = "faulty"
    UNSEEN = "unseen"
    DEFECT = "defect"


class PictureFigures:
    """Counters, times and lateness of one process."""

    def __init__(self, metrics: CollectorRegistry) -> None:
        total = Counter(
            "gengfu_picture_checks",
            "Checks of pictures by what came of them (unseen: there was no picture)",
            ("result",),
            registry=metrics,
        )
        self._total = {result: total.labels(result) for result in Result}
        seconds = Histogram(
            "gengfu_picture_seconds",
            "How long it took to fetch the frames of a visit, and to judge them",
            ("step",),
            buckets=_BUCKETS,
            registry=metrics,
        )
        self.fetch = seconds.labels("fetch")
        self.judge = seconds.labels("judge")
        self._late: dict[int, tuple[datetime, float]] = {}
        Gauge(
            "gengfu_picture_late_seconds",
            "How long the camera that waited longest had been due, of the shards looked at here",
            registry=metrics,
        ).set_function(self._late_s)

        self._files: EvidenceFolder | None = None
        Gauge(
            "gengfu_picture_evidence_refused",
            "1 while no picture can be kept as evidence: the disk is full, or their limit reached",
            registry=metrics,
        ).set_function(lambda: float(self._files is not None and bool(self._files.trouble)))

    def watch(self, files: EvidenceFolder) -> None:
        """Tell from now on whether pictures can be kept."""
        self._files = files

    def count(self, result: Result) -> None:
        """Count one check."""
        self._total[result].inc()

    def note_late(self, shard: int, at: datetime, late_s: float) -> None:
        """Note how late the cameras of a shard are; what another process looks at is forgotten."""
        self._late[shard] = (at, late_s)
        for other, (seen_at, _) in list(self._late.items()):
            if abs(at - seen_at) > REMEMBERED:
                del self._late[other]

    def _late_s(self) -> float:
        return max((late_s for _, late_s in self._late.values()), default=0.0)
