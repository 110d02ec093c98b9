"""One stop of a round: probe the camera, look at it for some seconds, say what came of it.

A visit always ends in time and always has a verdict, whatever the camera does. A camera that was
sent to a preset is sent home again, also when the look fails.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from hub.domain.errors import AuthRejected, DeviceError, StoreUnavailable
from hub.domain.health import Layer, ProbeResult
from hub.domain.looks import Glance, Glimpse, NotJudged, TakeClip
from hub.domain.patrols import PatrolStop, Verdict
from hub.domain.ports import CameraTarget, Clock, ProbeCamera, TakeSnapshot
from hub.patrols.files import PictureFolder
from hub.patrols.walking.doubt import DOWN, LONGEST_REMARK, Noticed, weigh
from hub.patrols.walking.orders import DOUBTFUL, LookOrder
from hub.patrols.walking.place_words import one_line
from hub.patrols.walking.turning import Motors, Turned, turned
from hub.runtime.files import NotKept
from hub.store.stops import StopResult

log = logging.getLogger(__name__)

PROBE_TIMEOUT_S: Final = 5.0
SNAPSHOT_TIMEOUT_S: Final = 10.0
GLANCE_TIMEOUT_S: Final = 12.0  # three key frames may be 4 s apart each
# Probe, glance and snapshot, should one of them not keep to its own limit.
VISIT_TIMEOUT_S: Final = 45.0
# Where many look at once, pictures queue for whoever judges: late is better than not judged.
JUDGING_WAIT_S: Final = 15.0
CLIP_EXTRA_S: Final = 20.0  # for its turn, for setting it up and for encoding it
# After so many attempts that ended with the worker, the camera is passed by.
MAX_ATTEMPTS: Final = 3
MAX_DETAIL: Final = 500

PLAIN_WORDS: Final[Mapping[Layer, str]] = MappingProxyType(
    {
        Layer.NETWORK: "摄像机不通 Camera cannot be reached",
        Layer.PROTOCOL: "摄像机应答异常 Camera answers, but not as a camera should",
        Layer.CREDENTIALS: "用户名或密码被拒 Camera refuses user name or password",
        Layer.STREAM: "无视频流 Camera offers no video",
        Layer.FRAMES: "无画面 No picture arrives",
        Layer.PICTURE: "画面异常 Picture is faulty",
        Layer.RECORDING: "无录像 Recording is missing",
        Layer.CLOCK: "时钟错误 Camera's clock is wrong",
        Layer.READINGS: "读数异常 Its readings are missing or wrong",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """What a visit looks with.

    Without ``glance`` a picture is taken and not judged, without ``clip`` there are no films,
    without ``motors`` no camera is turned. ``glance_s`` is how long it looks, ``width`` that of
    the picture it keeps, ``judging_wait_s`` what a verdict may take beyond the
    time of the glance, ``clip_extra_s`` a film beyond its own length.
    """

    probe: ProbeCamera
    snapshot: TakeSnapshot
    folder: PictureFolder
    clock: Clock
    timeout_s: float = VISIT_TIMEOUT_S
    glance: Glance | None = None
    clip: TakeClip | None = None
    motors: Motors | None = None
    glance_s: float = 3.0
    width: int = 1280
    glance_timeout_s: float = GLANCE_TIMEOUT_S
    judging_wait_s: float = JUDGING_WAIT_S
    clip_extra_s: float = CLIP_EXTRA_S


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What was seen at a stop; ``error`` is why there is no picture."""

    found: ProbeResult
    jpeg: bytes = b""
    at: datetime | None = None
    glimpse: Glimpse | None = None
    unjudged: str = ""
    error: DeviceError | None = None


async def visit(
    stop: PatrolStop,
    target: CameraTarget | None,
    eyes: Eyes,
    order: LookOrder | None = None,
) -> StopResult:
    """Look at one camera and return the verdict; never raises for what the camera does."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    if target is None:
        return _not_seen(stop, eyes, "camera has no address, or it was disabled or moved")
    if stop.attempts > MAX_ATTEMPTS:
        return _not_seen(stop, eyes, f"passed by: the hub failed {MAX_ATTEMPTS} times here")
    try:
        result = await _visit(stop, target, eyes, order or LookOrder())
    except TimeoutError:
        result = _not_seen(stop, eyes, f"no result within {eyes.timeout_s:g} s")
    except Exception as error:  # a defect met at one camera must not end the round
        log.exception("patrol stop %s of round %s failed", stop.position, stop.round_id)
        reason = f"the hub failed here ({type(error).__name__}): see its log"
        result = _not_seen(stop, eyes, reason)
    return replace(result, looked_s=loop.time() - started)


async def _visit(
    stop: PatrolStop, target: CameraTarget, eyes: Eyes, order: LookOrder
) -> StopResult:
    async with turned(target, order.preset, eyes.motors) as turning:
        async with asyncio.timeout(eyes.timeout_s):
            seen = await _look(target, eyes)
        if not seen.jpeg:
            return _without_picture(stop, eyes, seen)
        result = await _with_picture(stop, eyes, seen, turning, order)
        if order.clip_s > 0 and eyes.clip is not None and result.doubt >= DOUBTFUL:
            result = await _with_clip(result, target, eyes.clip, eyes, order.clip_s)
        return result


async def _look(target: CameraTarget, eyes: Eyes) -> _Look:
    """Probe the camera, then look at it."""
    found = await eyes.probe(target, timeout_s=PROBE_TIMEOUT_S)
    if not found.is_conclusive:  # the fault is ours: the picture alone decides
        found = replace(found, failed_layer=None, detail="")
    if found.failed_layer is Layer.NETWORK and not target.snapshot_address:
        # The picture would come from the very address that does not answer.
        return _Look(found=found)
    unjudged = ""
    if eyes.glance is not None:
        try:
            async with asyncio.timeout(eyes.glance_timeout_s + eyes.judging_wait_s):
                glimpse = await eyes.glance(
                    target.device_id,
                    seconds=eyes.glance_s,
                    width=eyes.width,
                    timeout_s=eyes.glance_timeout_s,
                )
        except DeviceError as error:
            return _Look(found=found, error=error)
        except (NotJudged, StoreUnavailable, TimeoutError) as error:
            unjudged = str(error) or f"no verdict within {eyes.glance_timeout_s:g} s"
        else:
            return _Look(found=found, jpeg=glimpse.picture, at=eyes.clock(), glimpse=glimpse)
    try:
        picture = await eyes.snapshot(target, timeout_s=SNAPSHOT_TIMEOUT_S)
    except DeviceError as error:
        return _Look(found=found, error=error)
    return _Look(found=found, jpeg=picture.jpeg, at=picture.taken_at, unjudged=unjudged)


async def _with_picture(
    stop: PatrolStop, eyes: Eyes, seen: _Look, turning: Turned, order: LookOrder
) -> StopResult:
    found = seen.found
    reasons = []
    if found.failed_layer is not None:
        reasons.append(PLAIN_WORDS[found.failed_layer])
    sha256 = hashlib.sha256(seen.jpeg).hexdigest()
    try:
        await eyes.folder.keep_picture(stop.round_id, stop.position, seen.jpeg)
    except NotKept as trouble:
        reasons.append(f"picture not kept: {trouble}")
        sha256 = ""
        log.warning("picture of stop %s, round %s: %s", stop.position, stop.round_id, trouble)
    weighed = weigh(
        Noticed(
            glimpse=seen.glimpse,
            layer=found.failed_layer,
            place=order.place,
            unjudged=seen.unjudged,
            is_turned=turning.is_turned,
            not_turned=turning.trouble,
        )
    )
    movement = None if seen.glimpse is None else seen.glimpse.movement
    return StopResult(
        round_id=stop.round_id,
        position=stop.position,
        verdict=Verdict.SEEN,
        reason="; ".join(reasons),
        at=seen.at or eyes.clock(),
        layer=found.failed_layer or "",
        detail=found.detail[:MAX_DETAIL],
        has_picture=bool(sha256),
        remarks=weighed.remarks,
        doubt=weighed.doubt,
        kind=weighed.kind,
        moved=None if movement is None else movement.share,
        picture_sha256=sha256,
    )


async def _with_clip(
    result: StopResult, target: CameraTarget, take: TakeClip, eyes: Eyes, seconds: float
) -> StopResult:
    """Add a film; without one the result stands, with a remark that says why."""
    timeout_s = seconds + eyes.clip_extra_s
    try:
        async with asyncio.timeout(timeout_s):
            clip = await take(target, seconds=seconds, timeout_s=timeout_s)
        await eyes.folder.keep_clip(result.round_id, result.position, clip.data)
    except (DeviceError, NotKept, TimeoutError) as error:
        why = str(error) or f"not done within {timeout_s:g} s"
        remark = one_line(f"未录到短片 No film: {why}", LONGEST_REMARK)
        return replace(result, remarks=(*result.remarks, remark))
    return replace(result, clip_sha256=hashlib.sha256(clip.data).hexdigest())


def _without_picture(stop: PatrolStop, eyes: Eyes, seen: _Look) -> StopResult:
    found, error = seen.found, seen.error
    if found.failed_layer is None and error is not None:
        found = replace(
            found,
            failed_layer=Layer.CREDENTIALS if isinstance(error, AuthRejected) else Layer.FRAMES,
            detail=str(error),
        )
    layer = found.failed_layer or Layer.FRAMES
    return replace(_not_seen(stop, eyes, PLAIN_WORDS[layer], found), kind=DOWN)


def _not_seen(
    stop: PatrolStop, eyes: Eyes, reason: str, found: ProbeResult | None = None
) -> StopResult:
    return StopResult(
        round_id=stop.round_id,
        position=stop.position,
        verdict=Verdict.NOT_SEEN,
        reason=reason,
        at=eyes.clock(),
        layer=(found.failed_layer if found else None) or "",
        detail=found.detail[:MAX_DETAIL] if found else "",
    )
