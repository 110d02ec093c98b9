"""Looks at one camera: fetches the frames of a visit, has them judged, follows up what is doubtful.

A camera whose picture cannot be had raises a DeviceError: unknown is not bad.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Final, Protocol

from prometheus_client import CollectorRegistry

from hub.domain.errors import DeviceError, DeviceUnreachable
from hub.domain.looks import NotJudged
from hub.domain.ports import FetchFrames, JudgePicture
from hub.domain.quality import CheckOrder, EncodedFrame, Finding, Index, PictureCheck
from hub.maintenance.pictures import corrections
from hub.maintenance.pictures.daylight import band_of, is_night
from hub.maintenance.pictures.figures import PictureFigures
from hub.maintenance.pictures.learning import (
    DEFAULT,
    Learning,
    baselines_of,
    lessons_of,
    may_learn,
    trusted,
)
from hub.maintenance.pictures.profiles import Chosen
from hub.maintenance.pictures.timing import STILL, Frames, frames_of
from hub.store.picture_due import DuePicture

# One frame like the last visit's scores so much: more of this visit decide (quality/freeze.py).
SUSPICIOUS_FREEZE: Final = 40.0


class AsksToMove(Protocol):
    """Whoever asks cameras to move, where that is allowed."""

    async def check(self, due: DuePicture, order: CheckOrder) -> Finding | None:
        """Return whether a camera obeys; None: it was not due, or could not be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SightOptions:
    """How cameras are looked at; ``zone`` is the site's.

    ``timeout_s`` is for one frame; a fetch that does not end by itself is ended ``grace_s``
    later. ``evidence_width`` 0: no picture is kept.
    """

    timeout_s: float = 10.0
    grace_s: float = 5.0
    evidence_width: int = 640
    learning: Learning = DEFAULT
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class SightSenses:
    """How a look reaches out; without ``obeying`` no camera is ever moved."""

    fetch: FetchFrames
    judge: JudgePicture
    obeying: AsksToMove | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GlanceOrder:
    """A look that learns nothing: its frames, within which time, and the width of its picture."""

    frames: Frames
    timeout_s: float
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look: what was ordered, and what was found that counts."""

    at: datetime
    is_night: bool
    order: CheckOrder
    check: PictureCheck


class Sight:
    """Looks at cameras; knows nothing from one look to the next."""

    def __init__(
        self,
        senses: SightSenses,
        options: SightOptions | None = None,
        figures: PictureFigures | None = None,
    ) -> None:
        self._senses = senses
        self._options = options or SightOptions()
        self._figures = figures or PictureFigures(CollectorRegistry())

    async def see(
        self,
        camera: DuePicture,
        chosen: Chosen,
        at: datetime,
        *,
        wants_evidence: bool = False,
        wants_learnt: bool = False,
    ) -> Seen:
        """Look at a camera now, at ``at``; what is learnt of it is there when it is time to learn.

        Raises:
            DeviceError: there is no picture to judge; it says why.
        """
        state, options = camera.state, self._options
        dark = is_night(at, options.zone, longitude=camera.longitude, latitude=camera.latitude)
        thresholds = corrections.apply(chosen.of(is_night=dark), state.corrections)
        lessons = lessons_of(camera.baselines)
        band = band_of(at, options.zone)
        order = CheckOrder(
            frames=await self._fetch(camera, frames_of(state, thresholds, at, options.zone)),
            thresholds=thresholds,
            # A camera that sees by infrared light by day looks into a dark place.
            infrared=corrections.apply(chosen.night, state.corrections),
            band=band,
            previous=state.fingerprint,
            baselines=baselines_of(lessons),
            masks=camera.masks,
            evidence_width=options.evidence_width if wants_evidence else 0,
            wants_learnt=wants_learnt or may_learn(state, lessons, band, at, options.learning),
        )
        check = await self._judge(order)
        if len(order.frames) == 1 and _is_suspicious(check):
            order, check = await self._look_longer(camera, order, check)
        # A lost signal suppresses whatever else could be said of the picture.
        if not any(one.index is Index.SIGNAL for one in check.faults):
            moved = await self._see_it_move(camera, order)
            check = replace(check, findings=(*check.findings, *moved))
        return Seen(
            at=at,
            is_night=dark,
            order=order,
            check=trusted(check, lessons, options.learning),
        )

    async def glance(
        self, camera: DuePicture, chosen: Chosen, at: datetime, wanted: GlanceOrder
    ) -> Seen:
        """Look at a camera now, at ``at``, for some seconds; nothing of it is to be learnt.

        Raises:
            DeviceError: the camera gives no picture; it says why.
            NotJudged: it gives one that cannot be judged.
        """
        state, options = camera.state, self._options
        dark = is_night(at, options.zone, longitude=camera.longitude, latitude=camera.latitude)
        lessons = lessons_of(camera.baselines)
        order = CheckOrder(
            frames=await self._fetch(
                _without_sub_stream(camera), wanted.frames, timeout_s=wanted.timeout_s
            ),
            thresholds=corrections.apply(chosen.of(is_night=dark), state.corrections),
            infrared=corrections.apply(chosen.night, state.corrections),
            band=band_of(at, options.zone),
            previous=state.fingerprint,
            baselines=baselines_of(lessons),
            masks=camera.masks,
            evidence_width=wanted.width,
            wants_learnt=False,
            wants_movement=True,
        )
        try:
            check = await self._judge(order)
        except DeviceError as error:
            raise NotJudged(str(error) or type(error).__name__) from error
        check = trusted(check, lessons, options.learning)
        return Seen(at=at, is_night=dark, order=order, check=check)

    async def judge_again(self, order: CheckOrder) -> PictureCheck:
        """Judge what was seen once more, with something else known; raises DeviceError."""
        return await self._judge(order)

    async def picture_of(self, seen: Seen) -> bytes:
        """Return what was seen as a masked JPEG, empty if none is kept; raises DeviceError."""
        if seen.check.evidence or not self._options.evidence_width:
            return seen.check.evidence
        order = replace(seen.order, evidence_width=self._options.evidence_width)
        return (await self._judge(order)).evidence

    async def _look_longer(
        self, camera: DuePicture, order: CheckOrder, check: PictureCheck
    ) -> tuple[CheckOrder, PictureCheck]:
        """Take more frames of the same visit; without them what was found stands."""
        try:
            more = await self._fetch(camera, STILL)
            longer = replace(order, frames=(*order.frames, *more))
            return longer, await self._judge(longer)
        except DeviceError:
            return order, check

    async def _see_it_move(self, camera: DuePicture, order: CheckOrder) -> tuple[Finding, ...]:
        obeying = self._senses.obeying
        if obeying is None or order.thresholds.get(Index.PTZ) is None:
            return ()
        found = await obeying.check(camera, order)
        return () if found is None else (found,)

    async def _fetch(
        self, camera: DuePicture, frames: Frames, *, timeout_s: float | None = None
    ) -> tuple[EncodedFrame, ...]:
        if timeout_s is None:
            timeout_s = self._options.timeout_s + (frames.count - 1) * frames.spacing_s
        started = _now_s()
        try:
            async with asyncio.timeout(timeout_s + self._options.grace_s):
                found = await self._senses.fetch(
                    camera.target,
                    count=frames.count,
                    spacing_s=frames.spacing_s,
                    timeout_s=timeout_s,
                )
        except TimeoutError as error:
            msg = f"no picture within {timeout_s:.0f} s"
            raise DeviceUnreachable(msg) from error
        self._figures.fetch.observe(_now_s() - started)
        return found

    async def _judge(self, order: CheckOrder) -> PictureCheck:
        started = _now_s()
        check = await self._senses.judge(order)
        self._figures.judge.observe(_now_s() - started)
        return check


def _without_sub_stream(camera: DuePicture) -> DuePicture:
    """A picture that people look at is the best the camera gives."""
    return replace(camera, target=replace(camera.target, sub_stream_address=""))


def _is_suspicious(check: PictureCheck) -> bool:
    return any(
        finding.index is Index.FREEZE and finding.score >= SUSPICIOUS_FREEZE
        for finding in check.findings
    )


def _now_s() -> float:
    return asyncio.get_running_loop().time()
