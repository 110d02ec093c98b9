"""What simulated cameras show: a good picture, and each fault as it looks."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from hub.simulators.camera import CLIP_LIFE, Camera
from hub.simulators.camera_state import STREAM_SHAPES, CameraOptions
from hub.simulators.faults import SENSOR_FAULTS, Fault
from hub.simulators.picture import (
    STILL_MODES,
    Moment,
    Scene,
    build_jpeg,
    draw_background,
    draw_picture,
)
from hub.simulators.picture_faults import Mode
from hub.simulators.scenery import Frame

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
SCENES = [
    Scene(label="东门1 East gate", seed=seed, preset=preset, width=640, height=360)
    for seed, preset in ((1, 0), (2, 1), (3, 2), (2**32 - 1, 3))
]


def at(seconds: float, chance: int) -> Moment:
    return Moment(elapsed_s=seconds, now=NOON + timedelta(seconds=seconds), chance=chance)


def show(scene: Scene, mode: Mode, moment: Moment | None = None) -> Frame:
    return draw_picture(scene, draw_background(scene), mode, moment or at(1.5, 7))


def grey(frame: Frame) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32)


def sharpness(frame: Frame) -> float:
    """How large the steps between neighbours are, without the writing and the grain."""
    smooth = cv2.resize(grey(frame)[40:-40], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return float(np.quantile(np.abs(cv2.Laplacian(smooth, cv2.CV_32F)), 0.97))


@pytest.mark.parametrize("scene", SCENES)
def test_a_good_picture_is_neither_dark_nor_flat_nor_tinted(scene: Scene) -> None:
    frame = show(scene, Mode.LIVE)
    assert frame.shape == (360, 640, 3)
    assert 90 < frame.mean() < 165
    assert frame.std() > 35
    means = frame.mean(axis=(0, 1))
    assert means.max() - means.min() < 12
    assert ((frame == 0) | (frame == 255)).mean() < 0.02


@pytest.mark.parametrize("scene", SCENES)
def test_no_two_pictures_are_alike_and_yet_of_one_place(scene: Scene) -> None:
    one, other = (grey(show(scene, Mode.LIVE, at(s, c))) for s, c in ((0, 1), (4, 2)))
    apart = np.abs(one - other)[40:-40]  # the car is back where it was; the clock is below
    assert 0.5 < apart.mean() < 8
    assert (apart > 0).mean() > 0.5
    assert (apart > 25).mean() < 0.001


def test_every_camera_and_every_preset_shows_another_place() -> None:
    pictures = [
        grey(show(Scene(label="x", seed=seed, preset=preset, width=640, height=360), Mode.LIVE))
        for seed in (1, 2)
        for preset in (0, 1, 2, 3)
    ]
    for number, one in enumerate(pictures):
        for other in pictures[:number]:
            assert (np.abs(one - other) > 20).mean() > 0.2


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("size", [(640, 360), (352, 288), (160, 96)])
def test_every_fault_is_drawn_in_every_size(mode: Mode, size: tuple[int, int]) -> None:
    width, height = size
    scene = Scene(label="x", seed=5, preset=1, width=width, height=height)
    frame = show(scene, mode)
    assert frame.shape == (height, width, 3)
    assert build_jpeg(frame).startswith(b"\xff\xd8")
    again = show(scene, mode, at(1.5, 99))
    assert np.array_equal(frame, again) is (mode in STILL_MODES - {Mode.FROZEN})


@pytest.mark.parametrize("scene", SCENES)
def test_each_fault_does_what_it_is_called(scene: Scene) -> None:
    good = show(scene, Mode.LIVE)
    assert show(scene, Mode.BLACK).max() == 0
    card = show(scene, Mode.NO_SIGNAL)
    assert (card == card[0, 0]).all(axis=2).mean() > 0.9
    assert sharpness(show(scene, Mode.BLURRED)) < sharpness(good) / 3
    assert (show(scene, Mode.BRIGHT) > 250).mean() > 0.5
    assert show(scene, Mode.DARK).mean() < 20
    assert show(scene, Mode.FLAT).std() < 16
    blue, green, red = show(scene, Mode.TINTED).mean(axis=(0, 1))
    assert green < min(blue, red) - 30
    assert sharpness(show(scene, Mode.NOISY)) > 2 * sharpness(good)
    rows = grey(show(scene, Mode.STRIPED))[40:-40] - grey(good)[40:-40]
    assert rows.mean(axis=1).std() > 20
    assert rows.std(axis=1).mean() < 12
    hidden = np.abs(grey(show(scene, Mode.COVERED)) - grey(good)) > 8
    assert 0.5 < hidden.mean() < 0.95
    shaken = [grey(show(scene, Mode.SHAKING, at(1.5, chance))) for chance in (1, 2)]
    assert (np.abs(shaken[0] - shaken[1]) > 20).mean() > 0.05


def test_the_clock_is_written_over_whatever_is_wrong() -> None:
    scene = SCENES[0]
    for mode in set(Mode) - STILL_MODES:
        one, other = (show(scene, mode, at(seconds, 1)) for seconds in (0, 60))
        strip = np.abs(one[-25:-5, :200].astype(int) - other[-25:-5, :200]).max()
        assert strip > 60, mode


def camera_at(times: list[datetime]) -> Camera:
    """A camera that is not switched on; its clock says the last of the times."""
    options = CameraOptions(name="东门1 East gate", serial="S1", mac="02:00:00:00:00:01")
    return Camera(options, clock=lambda: times[-1], rng=random.Random(1))


async def test_a_stream_is_drawn_anew_when_it_is_old_or_shows_something_else() -> None:
    times = [NOON]
    camera = camera_at(times)
    sub = STREAM_SHAPES[1]
    first = await camera.find_clip(sub)
    times.append(NOON + CLIP_LIFE - timedelta(seconds=1))
    assert await camera.find_clip(sub) is first
    times.append(NOON + CLIP_LIFE)
    second = await camera.find_clip(sub)
    assert second is not first
    assert second.pictures[0] != first.pictures[0]
    await camera.set_fault(Fault.FROZEN_PICTURE)
    frozen = await camera.find_clip(sub)
    times.append(NOON + 100 * CLIP_LIFE)
    assert await camera.find_clip(sub) is frozen, "time stands still in it"
    await camera.clear_fault()
    assert (await camera.find_clip(sub)).pictures[0] != second.pictures[0]
    await camera.set_fault(Fault.FROZEN_PICTURE)
    assert (await camera.find_clip(sub)).pictures[0] != frozen.pictures[0]


async def test_each_fault_of_the_picture_can_be_ordered_and_mended() -> None:
    camera = camera_at([NOON])
    shown = {}
    for fault in set(Fault) - SENSOR_FAULTS - {Fault.POWER_CUT}:
        await camera.set_fault(fault)
        shown[camera.state.mode] = fault
        assert camera.state.motor.is_stuck is (fault is Fault.STUCK_PTZ)
        await camera.clear_fault()
        assert camera.state.mode is Mode.LIVE
        assert not camera.state.motor.is_stuck
    assert set(shown) == set(Mode)


async def test_a_camera_that_was_turned_away_sees_another_place_and_a_stuck_one_the_same() -> None:
    camera = camera_at([NOON])
    main = STREAM_SHAPES[0]
    usual = camera.state.scene(main)
    await camera.set_fault(Fault.SCENE_CHANGED)
    turned = camera.state.scene(main)
    assert (turned.seed != usual.seed, turned.label) == (True, usual.label)
    await camera.set_fault(Fault.STUCK_PTZ)
    camera.state.move_to(2)
    assert camera.state.scene(main) == usual
    await camera.clear_fault()
    camera.state.move_to(2)
    assert camera.state.scene(main).preset == 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_moves_without_traffic_but_what_a_trainer_lets_go_through(seed: int) -> None:
    street = Scene(label="x", seed=seed, preset=0, width=640, height=360)
    empty = replace(street, has_traffic=False)

    def moved(scene: Scene, mode: Mode) -> float:
        first, second = (grey(show(scene, mode, at(seconds, 7))) for seconds in (1.0, 2.0))
        return float((np.abs(first - second)[40:-40] > 25).mean())

    assert moved(empty, Mode.LIVE) == 0.0
    assert moved(street, Mode.LIVE) > 0.004
    assert moved(empty, Mode.MOVING) > 0.01
    # It has gone round when the clip begins anew.
    first, again = (grey(show(empty, Mode.MOVING, at(seconds, 7))) for seconds in (1.0, 5.0))
    assert np.array_equal(first[40:-40], again[40:-40])


async def test_a_moving_thing_is_no_fault_the_camera_notices() -> None:
    options = CameraOptions(name="x", serial="1", mac="02:00:00:00:00:01", has_traffic=False)
    camera = Camera(options, clock=lambda: NOON, rng=random.Random(1))
    assert not camera.state.scene(STREAM_SHAPES[0]).has_traffic
    await camera.set_fault(Fault.MOVING_THING)
    assert camera.state.mode is Mode.MOVING
