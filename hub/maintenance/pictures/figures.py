"""What Prometheus is told of the judgement of pictures."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


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
        self.late = Gauge(
            "gengfu_picture_late_seconds",
            "How long the camera that waited longest had been due when the newest round began",
            registry=metrics,
        )

    def count(self, result: Result) -> None:
        """Count one check."""
        self._total[result].inc()
