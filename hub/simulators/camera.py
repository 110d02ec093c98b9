"""A camera of our own: ONVIF, snapshots, events and an RTSP stream, with faults on command."""

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from hub.domain.errors import ConfigError
from hub.domain.ports import Clock
from hub.domain.secrets import Credentials, Secret
from hub.simulators.camera_state import CameraOptions, CameraState, StreamShape
from hub.simulators.clip import Clip, encode_clip
from hub.simulators.digest import Gate
from hub.simulators.faults import CLOCK_FAULT_S, SLOW_ANSWER_S, Fault, refuse_sensor_fault
from hub.simulators.onvif_server import OnvifServer
from hub.simulators.picture import STILL_MODES, Scene
from hub.simulators.picture_faults import Mode
from hub.simulators.pull_points import Property, PullPoints
from hub.simulators.rtp import PAYLOAD_LIMIT
from hub.simulators.rtsp_server import RtspServer

MOTION_SECONDS = 8.0
CLIP_LIFE = timedelta(minutes=5)  # then the clock and the grain in it are drawn anew
_NOTICED = {
    Fault.BLURRED_PICTURE: Property.TOO_BLURRY,
    Fault.BRIGHT_PICTURE: Property.TOO_BRIGHT,
    Fault.SCENE_CHANGED: Property.SCENE_CHANGE,
    Fault.SIGNAL_LOST: Property.SIGNAL_LOSS,
    Fault.FAN_FAILED: Property.FAN,
    Fault.POWER_SUPPLY_FAILED: Property.POWER_SUPPLY,
    Fault.STORAGE_FAILED: Property.STORAGE,
    Fault.TOO_HOT: Property.TEMPERATURE,
    Fault.BLACK_PICTURE: Property.TOO_DARK,
}
_SHOWN = {
    Fault.BLACK_PICTURE: Mode.BLACK,
    Fault.FROZEN_PICTURE: Mode.FROZEN,
    Fault.SIGNAL_LOST: Mode.NO_SIGNAL,
    Fault.BLURRED_PICTURE: Mode.BLURRED,
    Fault.BRIGHT_PICTURE: Mode.BRIGHT,
    Fault.SCENE_CHANGED: Mode.ELSEWHERE,
    Fault.COVERED_LENS: Mode.COVERED,
    Fault.DARK_PICTURE: Mode.DARK,
    Fault.LOW_CONTRAST: Mode.FLAT,
    Fault.COLOUR_CAST: Mode.TINTED,
    Fault.NOISY_PICTURE: Mode.NOISY,
    Fault.STRIPED_PICTURE: Mode.STRIPED,
    Fault.SHAKING_CAMERA: Mode.SHAKING,
    Fault.MOVING_THING: Mode.MOVING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Encoding:
    """A clip that is being encoded, or is."""

    mode: Mode
    scene: Scene
    begun_at: datetime
    work: asyncio.Future[Clip]

    def fits(self, mode: Mode, scene: Scene, now: datetime) -> bool:
        """Whether it shows what the camera shows now."""
        is_fresh = mode in STILL_MODES or abs(now - self.begun_at) < CLIP_LIFE
        return mode is self.mode and scene == self.scene and is_fresh


class Camera:
    """One simulated camera; an async context manager that is its power supply."""

    def __init__(self, options: CameraOptions, *, clock: Clock, rng: random.Random) -> None:
        self.state = CameraState(options, clock=clock, rng=rng)
        self.fault: Fault | None = None
        gate = Gate(realm=f"Camera {options.serial}", key=rng.randbytes(16))
        self._pull_points = PullPoints(self.state)
        self._web = OnvifServer(self.state, self._pull_points, gate)
        self._rtsp = RtspServer(
            self.state,
            Gate(realm=gate.realm, key=gate.key, offers_basic=options.offers_basic),
            self.find_clip,
        )
        self._clips: dict[tuple[str, int], _Encoding] = {}
        self._motion: asyncio.Task[None] | None = None
        self._has_power = False

    @property
    def name(self) -> str:
        """The camera's name."""
        return self.state.options.name

    @property
    def label(self) -> str:
        """What people call it: its name too."""
        return self.state.options.name

    @property
    def subscriptions(self) -> int:
        """How many clients hold an event subscription."""
        return self._pull_points.count

    @property
    def searches(self) -> int:
        """How many clients search its recordings, or left without ending that."""
        return self._web.searches.count

    @property
    def viewers(self) -> int:
        """How many RTSP connections are open."""
        return self._rtsp.connections

    @property
    def is_discoverable(self) -> bool:
        """Whether the camera hears a discovery probe."""
        return self._has_power and not self.state.condition.line.is_cut

    async def __aenter__(self) -> Self:
        await self._switch_on()
        if self.state.options.motion_interval_s is not None:
            self._motion = asyncio.create_task(self._move(self.state.options.motion_interval_s))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._motion is not None:
            self._motion.cancel()
            await asyncio.gather(self._motion, return_exceptions=True)
        await self._switch_off()
        encodings = [encoding.work for encoding in self._clips.values()]
        for work in encodings:
            work.cancel()
        await asyncio.gather(*encodings, return_exceptions=True)
        self._clips.clear()

    async def set_fault(self, fault: Fault) -> None:
        """Break the camera in one way; a fault it had before is cleared first.

        Raises:
            FaultNotPossible: a camera has no sensors.
        """
        refuse_sensor_fault(fault)
        await self.clear_fault()
        self.fault = fault
        await self._suffer(fault)
        self.state.mode = _SHOWN.get(fault, Mode.LIVE)
        if fault in _NOTICED:
            self.set_property(_NOTICED[fault], is_active=True)

    async def clear_fault(self) -> None:
        """Make the camera whole again; one whose power was cut has booted anew.

        Raises:
            ConfigError: somebody else took its address meanwhile; it stays without power.
        """
        if self.fault is Fault.POWER_CUT:
            await self._switch_on()
        fault, self.fault = self.fault, None
        condition = self.state.condition
        condition.line.join()
        condition.answer_delay_s = 0.0
        condition.is_garbage = False
        self.set_clock(0.0)
        self.state.mode = Mode.LIVE
        self.state.motor.is_stuck = False
        self._resume_recording()
        if fault in _NOTICED:
            self.set_property(_NOTICED[fault], is_active=False)
        if fault is Fault.WRONG_PASSWORD:
            await self._change_password(self.state.options.credentials.password)

    def set_property(self, name: Property, *, is_active: bool) -> None:
        """Let the camera report something: motion, a dark picture, its alarm input."""
        self._pull_points.set_property(name, is_active=is_active)

    def set_clock(self, offset_s: float) -> None:
        """Let the camera's clock run that much ahead; right again, it says it was synchronised."""
        was_off, self.state.clock_offset_s = bool(self.state.clock_offset_s), offset_s
        if was_off and not offset_s:
            self._pull_points.report_clock_set()

    async def find_clip(self, shape: StreamShape) -> Clip:
        """The clip of what the camera sees now, encoded when there is none or it is old."""
        state = self.state
        key, mode, moment = (shape.role, state.preset), state.mode, state.moment()
        scene = state.scene(shape)
        known = self._clips.get(key)
        if known is None or not known.fits(mode, scene, state.true_now()):
            work = asyncio.ensure_future(
                asyncio.to_thread(encode_clip, scene, mode, moment, payload_limit=PAYLOAD_LIMIT)
            )
            known = _Encoding(mode=mode, scene=scene, begun_at=state.true_now(), work=work)
            self._clips[key] = known
        return await asyncio.shield(known.work)

    async def _suffer(self, fault: Fault) -> None:
        """Break what does not show in the picture."""
        condition = self.state.condition
        match fault:
            case Fault.POWER_CUT:
                await self._switch_off()
            case Fault.CABLE_CUT:
                condition.line.cut()
            case Fault.WRONG_PASSWORD:
                await self._change_password(Secret(f"changed-{self.state.rng.getrandbits(64):x}"))
            case Fault.CLOCK_OFF:
                self.state.clock_offset_s = CLOCK_FAULT_S
            case Fault.SLOW_ANSWERS:
                condition.answer_delay_s = SLOW_ANSWER_S
            case Fault.GARBAGE:
                condition.is_garbage = True
            case Fault.RECORDING_STOPPED | Fault.STORAGE_FAILED:
                self._stop_recording()
            case Fault.STUCK_PTZ:
                self.state.motor.is_stuck = True
            case Fault.FROZEN_PICTURE:
                self._web.freeze()
            case _:
                pass

    def _stop_recording(self) -> None:
        if self.state.card is not None:
            self.state.card.stopped_at = self.state.true_now()

    def _resume_recording(self) -> None:
        if self.state.card is not None:
            self.state.card.resume(self.state.true_now())

    async def _switch_on(self) -> None:
        self.state.motor.reset()
        self.state.boot_at = self.state.now()
        await self._web.start()
        try:
            await self._rtsp.start()
        except ConfigError:
            await self._web.stop()
            raise
        self._has_power = True

    async def _switch_off(self) -> None:
        if self._has_power:
            self._stop_recording()
        self._has_power = False
        self._pull_points.forget()
        self._web.searches.forget()
        await self._rtsp.stop()
        await self._web.stop()

    async def _change_password(self, password: Secret) -> None:
        username = self.state.options.credentials.username
        self.state.credentials = Credentials(username=username, password=password)
        self._pull_points.forget()
        await self._rtsp.drop_connections()

    async def _move(self, interval_s: float) -> None:
        while True:
            await asyncio.sleep(self.state.rng.expovariate(1 / interval_s))
            self.set_property(Property.MOTION, is_active=True)
            await asyncio.sleep(MOTION_SECONDS)
            self.set_property(Property.MOTION, is_active=False)
