"""Latency and loss by the hour."""

from datetime import UTC, datetime, timedelta

from hub.domain.health import Layer, ProbeResult
from hub.maintenance.probe_counts import ProbeCounts

HOUR = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def result(minute: float, latency_s: float = 0.02, layer: Layer | None = None) -> ProbeResult:
    at = HOUR + timedelta(minutes=minute)
    return ProbeResult(probed_at=at, latency_s=latency_s, failed_layer=layer)


def test_an_answer_counts_for_the_hour_in_which_it_was_asked_for() -> None:
    counts = ProbeCounts()
    for minute in (1, 59, 61):
        counts.add(7, result(minute))
    [over] = counts.take(before=HOUR + timedelta(minutes=62))
    assert (over.hour, over.probes, over.lost) == (HOUR, 2, 0)
    [rest] = counts.take()
    assert (rest.hour, rest.probes) == (HOUR + timedelta(hours=1), 1)
    assert counts.take() == []


def test_only_what_does_not_answer_is_lost() -> None:
    counts = ProbeCounts()
    counts.add(7, result(1, 0.02))
    counts.add(7, result(2, 0.04, Layer.CREDENTIALS))
    counts.add(7, result(3, 4.0, Layer.NETWORK))
    [row] = counts.take()
    assert (row.probes, row.lost) == (3, 1)
    assert row.mean_ms == 30.0
    assert row.slowest_ms == 40.0


def test_what_says_nothing_is_not_counted() -> None:
    counts = ProbeCounts()
    counts.add(7, ProbeResult(probed_at=HOUR, latency_s=0.0, is_conclusive=False))
    assert counts.take() == []


def test_what_could_not_be_stored_is_added_to_what_came_since() -> None:
    counts = ProbeCounts()
    counts.add(7, result(1, 0.05))
    taken = counts.take()
    counts.add(7, result(2, 0.01, Layer.PROTOCOL))
    counts.put_back(taken)
    [row] = counts.take()
    assert (row.probes, row.lost, row.slowest_ms) == (2, 1, 50.0)
