"""One stop of a round: probe the camera, take its picture, say what came of it.

A visit always ends in time and always has a verdict, whatever the camera does.
"""

import asyncio
import logging
from dataclasses import dataclass, replace

from hub.domain.errors import AuthRejected, DeviceError
from hub.domain.health import Layer, ProbeResult
from hub.domain.patrols import PatrolStop, Verdict
from hub.domain.ports import CameraTarget, Clock, Picture, ProbeCamera, TakeSnapshot
from hub.patrols.files import PictureFolder
from hub.runtime.files import NotKept
from hub.store.stops import StopResult

log = logging.getLogger(__name__)

PROBE_TIMEOUT_S = 5.0
SNAPSHOT_TIMEOUT_S = 10.0
# The whole visit, should a probe or a snapshot not keep to its own limit.
VISIT_TIMEOUT_S = 20.0
# After so many attempts that ended with the worker, the camera is passed by.
MAX_ATTEMPTS = 3
MAX_DETAIL = 500

PLAIN_WORDS = {
    Layer.NETWORK: "camera cannot be reached",
    Layer.PROTOCOL: "camera answers, but not as a camera should",
    Layer.CREDENTIALS: "camera refuses user name or password",
    Layer.STREAM: "camera offers no video",
    Layer.FRAMES: "no picture arrives",
    Layer.PICTURE: "picture is faulty",
    Layer.RECORDING: "recording is missing",
    Layer.CLOCK: "camera's clock is wrong",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """What a visit looks with."""

    probe: ProbeCamera
    snapshot: TakeSnapshot
    folder: PictureFolder
    clock: Clock
    timeout_s: float = VISIT_TIMEOUT_S


async def visit(stop: PatrolStop, target: CameraTarget | None, eyes: Eyes) -> StopResult:
    """Look at one camera and return the verdict; never raises for what the camera does."""
    if target is None:
        return _not_seen(stop, eyes, "camera has no address, or it was disabled or moved")
    if stop.attempts > MAX_ATTEMPTS:
        return _not_seen(stop, eyes, f"passed by: the hub failed {MAX_ATTEMPTS} times here")
    try:
        async with asyncio.timeout(eyes.timeout_s):
            return await _look(stop, target, eyes)
    except TimeoutError:
        return _not_seen(stop, eyes, f"no result within {eyes.timeout_s:g} s")
    except Exception as error:  # a defect met at one camera must not end the round
        log.exception("patrol stop %s of round %s failed", stop.position, stop.round_id)
        return _not_seen(stop, eyes, f"the hub failed here ({type(error).__name__}): see its log")


async def _look(stop: PatrolStop, target: CameraTarget, eyes: Eyes) -> StopResult:
    found = await eyes.probe(target, timeout_s=PROBE_TIMEOUT_S)
    if not found.is_conclusive:  # the fault is ours: the picture alone decides
        found = replace(found, failed_layer=None, detail="")
    if found.failed_layer is Layer.NETWORK and not target.snapshot_address:
        # The picture would come from the very address that does not answer.
        return _not_seen(stop, eyes, PLAIN_WORDS[Layer.NETWORK], found)
    try:
        picture = await eyes.snapshot(target, timeout_s=SNAPSHOT_TIMEOUT_S)
    except DeviceError as error:
        return _without_picture(stop, eyes, found, error)
    return await _with_picture(stop, eyes, found, picture)


async def _with_picture(
    stop: PatrolStop, eyes: Eyes, found: ProbeResult, picture: Picture
) -> StopResult:
    reasons = []
    if found.failed_layer is not None:
        reasons.append(PLAIN_WORDS[found.failed_layer])
    is_kept = True
    try:
        await eyes.folder.keep_picture(stop.round_id, stop.position, picture.jpeg)
    except NotKept as trouble:
        reasons.append(f"picture not kept: {trouble}")
        is_kept = False
        log.warning("picture of stop %s, round %s: %s", stop.position, stop.round_id, trouble)
    return StopResult(
        round_id=stop.round_id,
        position=stop.position,
        verdict=Verdict.SEEN,
        reason="; ".join(reasons),
        at=picture.taken_at,
        layer=found.failed_layer or "",
        detail=found.detail[:MAX_DETAIL],
        has_picture=is_kept,
    )


def _without_picture(
    stop: PatrolStop, eyes: Eyes, found: ProbeResult, error: DeviceError
) -> StopResult:
    if found.failed_layer is not None:
        return _not_seen(stop, eyes, PLAIN_WORDS[found.failed_layer], found)
    layer = Layer.CREDENTIALS if isinstance(error, AuthRejected) else Layer.FRAMES
    failed = ProbeResult(
        probed_at=found.probed_at,
        latency_s=found.latency_s,
        failed_layer=layer,
        detail=str(error),
    )
    return _not_seen(stop, eyes, PLAIN_WORDS[layer], failed)


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
