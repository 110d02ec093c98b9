"""What Prometheus is told of probing."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from hub.domain.health import Depth, ProbeResult, Status


class ProbeFigures:
    """Counters, latencies and lateness of one process."""

    def __init__(self, metrics: CollectorRegistry, timeout_s: float) -> None:
        total = Counter(
            "gengfu_probes",
            "Probes by depth and by the layer that failed (none: all good)",
            ("depth", "layer"),
            registry=metrics,
        )
        seconds = Histogram(
            "gengfu_probe_seconds",
            "How long probes took that found nothing wrong",
            ("depth",),
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, timeout_s),
            registry=metrics,
        )
        self._total = total
        self._good = {depth: total.labels(depth, "none") for depth in Depth}
        self._seconds = {depth: seconds.labels(depth) for depth in Depth}
        self.late = Gauge(
            "gengfu_probe_late_seconds", "How late the newest probe was begun", registry=metrics
        )

    def count(self, result: ProbeResult) -> None:
        """Count one result."""
        if result.status is Status.ONLINE:
            self._good[result.depth].inc()
            self._seconds[result.depth].observe(result.latency_s)
        else:
            self._total.labels(result.depth, result.failed_layer or "not sampled").inc()
