"""Who is silent: pure, with times given."""

from adapters.mqtt import silence
from adapters.mqtt.silence import SilenceTracker


def test_silent_once_after_factor_times_interval() -> None:
    tracker = SilenceTracker(factor=3)
    tracker.expect("s1", 10, now=100)
    assert tracker.fallen_silent(129.9) == []
    assert tracker.fallen_silent(130) == [("s1", 30)]
    assert tracker.is_silent("s1")
    assert tracker.fallen_silent(1_000) == []


def test_a_message_puts_it_off_and_brings_it_back() -> None:
    tracker = SilenceTracker(factor=3)
    tracker.expect("s1", 10, now=0)
    assert not tracker.heard("s1", 20)
    assert tracker.fallen_silent(49) == []
    assert tracker.fallen_silent(50) == [("s1", 30)]
    assert tracker.heard("s1", 60)
    assert not tracker.is_silent("s1")
    assert tracker.fallen_silent(90) == [("s1", 30)]


def test_unknown_interval_is_not_judged() -> None:
    tracker = SilenceTracker(factor=3)
    tracker.expect("s1", None, now=0)
    tracker.heard("s1", 1)
    assert tracker.fallen_silent(10**9) == []


def test_default_interval_counts_from_the_first_message() -> None:
    tracker = SilenceTracker(factor=2, default_interval_s=5)
    tracker.heard("s1", 100)
    assert tracker.fallen_silent(109) == []
    assert tracker.fallen_silent(110) == [("s1", 10)]


def test_shorter_and_longer_interval() -> None:
    tracker = SilenceTracker(factor=1)
    tracker.expect("s1", 100, now=0)
    tracker.expect("s1", 10, now=0)
    assert tracker.fallen_silent(10) == [("s1", 10)]
    tracker.heard("s1", 10)
    tracker.expect("s1", 50, now=10)
    assert tracker.fallen_silent(59) == []
    assert tracker.fallen_silent(60) == [("s1", 50)]


def test_hub_that_could_not_listen_blames_nobody() -> None:
    tracker = SilenceTracker(factor=3)
    tracker.expect("s1", 10, now=0)
    tracker.hold(1_000)
    assert tracker.fallen_silent(1_029) == []
    assert tracker.fallen_silent(1_030) == [("s1", 1_030)]


def test_signed_off_is_forgotten() -> None:
    tracker = SilenceTracker(factor=3)
    tracker.expect("s1", 10, now=0)
    tracker.forget("s1")
    assert tracker.fallen_silent(10**6) == []


def test_factor_zero_judges_nobody() -> None:
    tracker = SilenceTracker(factor=0, default_interval_s=1)
    tracker.expect("s1", 10, now=0)
    tracker.heard("s2", 0)
    assert tracker.fallen_silent(10**6) == []


def test_repeated_status_and_messages_cost_no_memory() -> None:
    tracker = SilenceTracker(factor=3)
    for now in range(10_000):
        tracker.expect("s1", 10, now=now)
        tracker.heard("s1", now)
        tracker.fallen_silent(now)
    assert len(tracker._due) == 1


def test_flood_of_names_is_bounded() -> None:
    tracker = SilenceTracker(factor=3)
    for number in range(silence.MAX_DEVICES + 10):
        tracker.expect(f"s{number}", 10, now=0)
    assert len(tracker._watches) == silence.MAX_DEVICES


def test_on_a_new_link_who_is_still_silent_is_told_of_again() -> None:
    tracker = SilenceTracker(factor=3)
    for device in ("s1", "s2"):
        tracker.expect(device, 10, now=0)
    assert len(tracker.fallen_silent(30)) == 2
    tracker.begin(1_000)
    assert tracker.is_silent("s1")
    assert tracker.heard("s2", 1_005)
    assert tracker.fallen_silent(1_029) == []
    assert tracker.fallen_silent(1_030) == [("s1", 1_030)]
    assert tracker.fallen_silent(2_000) == [("s2", 995)]
    assert tracker.fallen_silent(10_000) == []


def test_on_a_new_link_nobodys_silence_counts_from_before() -> None:
    tracker = SilenceTracker(factor=3)
    tracker.expect("s1", 10, now=0)
    tracker.begin(29)
    assert tracker.fallen_silent(58) == []
    assert tracker.fallen_silent(59) == [("s1", 59)]


def test_first_message_of_a_device_with_the_default_interval_says_that_it_is_there() -> None:
    tracker = SilenceTracker(factor=2, default_interval_s=5)
    assert tracker.heard("s1", 100)
    assert not tracker.heard("s1", 101)
    assert not SilenceTracker(factor=0, default_interval_s=5).heard("s1", 100)
