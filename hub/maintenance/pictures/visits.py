"""One visit to one camera: look, and decide what that means. Stores nothing.

A picture that cannot be had is unknown: what was known of it stands.
"""

import logging
import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import CollectorRegistry

from hub.domain.errors import DeviceError
from hub.domain.ports import Clock
from hub.domain.quality import BandKey, PictureState
from hub.maintenance.pictures import learning as lessons
from hub.maintenance.pictures.evidence import Kind
from hub.maintenance.pictures.figures import PictureFigures, Result
from hub.maintenance.pictures.profiles import Chosen
from hub.maintenance.pictures.sight import Seen, Sight
from hub.maintenance.pictures.timing import wait_after_check_s, wait_after_failure_s
from hub.maintenance.pictures.transitions import Confirming, Step, step
from hub.maintenance.pictures.wording import unseen_sentence
from hub.store.picture_due import DuePicture
from hub.store.picture_states import KeptCheck

log = logging.getLogger(__name__)

DEFECT: Final = "a defect of the hub, see its log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What applies to one camera: its thresholds, and the seconds between two looks."""

    chosen: Chosen
    interval_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one visit, to be stored.

    ``step`` is None when there was no picture; ``picture`` is a masked JPEG worth keeping.
    """

    camera: DuePicture
    kept: KeptCheck
    step: Step | None = None
    picture: tuple[Kind, bytes] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Visits cameras; knows nothing from one visit to the next.

    ``renew_after``: a camera's good and bad picture are kept anew so often.
    """

    sight: Sight
    clock: Clock
    renew_after: timedelta = timedelta(days=1)
    rng: random.Random = field(default_factory=random.Random)
    confirming: Confirming = field(default_factory=Confirming)
    learning: lessons.Learning = lessons.DEFAULT
    figures: PictureFigures = field(default_factory=lambda: PictureFigures(CollectorRegistry()))

    async def visit(self, camera: DuePicture, rules: Rules) -> Outcome:
        """Look at a camera and say what that means; raises nothing for what a camera does."""
        at = self.clock()
        expected = self._expects_to_keep(camera.state, at)
        try:
            seen = await self.sight.see(camera, rules.chosen, at, wants_evidence=expected)
        except DeviceError as error:
            log.debug("no picture of camera %s: %s", camera.target.device_id, error)
            self.figures.count(Result.UNSEEN)
            return self._unseen(camera, rules, error)
        judged = rules.chosen.judged
        if not camera.baselines:
            # Somebody had it all forgotten: of what it was compared with nothing is left.
            judged -= lessons.COMPARED
        taken = step(camera.state, seen.check, at, camera.opinions, self.confirming, judged)
        wait_s = wait_after_check_s(taken, rules.interval_s, self.rng)
        state = replace(taken.state, next_at=at + timedelta(seconds=wait_s))
        self.figures.count(_result_of(state))
        return Outcome(
            camera=camera,
            kept=KeptCheck(
                state=state,
                at=at,
                is_night=seen.is_night,
                check=replace(seen.check, evidence=b"", learnt=b""),
                learnt=self._learnt(camera, seen, state),
                was_due_at=camera.state.next_at,
            ),
            step=taken,
            picture=await self._picture_worth_keeping(seen, taken),
        )

    def give_up(self, camera: DuePicture, rules: Rules) -> Outcome:
        """What a defect of ours makes of a visit: it is not run into again soon."""
        self.figures.count(Result.DEFECT)
        return self._unseen(camera, rules, None)

    def _unseen(self, camera: DuePicture, rules: Rules, error: DeviceError | None) -> Outcome:
        at = self.clock()
        wait_s = wait_after_failure_s(camera.state, error, at, rules.interval_s)
        state = replace(
            camera.state,
            tried_at=at,
            next_at=at + timedelta(seconds=wait_s),
            unseen=DEFECT if error is None else unseen_sentence(error),
        )
        kept = KeptCheck(state=state, at=at, was_due_at=camera.state.next_at)
        return Outcome(camera=camera, kept=kept)

    def _learnt(
        self, camera: DuePicture, seen: Seen, state: PictureState
    ) -> tuple[BandKey, bytes] | None:
        key = (seen.order.band, seen.check.mode)
        known = lessons.unpack(camera.baselines.get(key, b""))
        lesson = lessons.learn(state, seen.check, known, seen.at, self.learning)
        return None if lesson is None else (key, lessons.pack(lesson))

    async def _picture_worth_keeping(self, seen: Seen, taken: Step) -> tuple[Kind, bytes] | None:
        kind = self._kind_of(taken, seen.at)
        if kind is None:
            return None
        try:
            jpeg = await self.sight.picture_of(seen)
        except DeviceError as error:
            log.debug("the picture of camera %s is not kept: %s", taken.state.device_id, error)
            return None
        return (kind, jpeg) if jpeg else None

    def _kind_of(self, taken: Step, at: datetime) -> Kind | None:
        """Tell as which picture this one is worth keeping, if any.

        Bad is the one by which a fault is believed, and one a day while it lasts; good the one by
        which it is over, and one a day while all is well.
        """
        state = taken.state
        bad_now = any(finding.is_fault for finding in state.findings)
        if taken.began:
            return Kind.BAD
        if state.faults:
            return Kind.BAD if bad_now and self._is_old(state.bad_at, at) else None
        if bad_now or state.suspects:
            return None
        return Kind.GOOD if taken.ended or self._is_old(state.good_at, at) else None

    def _expects_to_keep(self, state: PictureState, at: datetime) -> bool:
        """Tell whether the picture will probably be kept: asked for at once it costs less."""
        if state.faults:
            return bool(state.mending) or self._is_old(state.bad_at, at)
        return bool(state.suspects) or self._is_old(state.good_at, at)

    def _is_old(self, kept_at: datetime | None, at: datetime) -> bool:
        return kept_at is None or not timedelta(0) <= at - kept_at < self.renew_after


def _result_of(state: PictureState) -> Result:
    if state.faults:
        return Result.FAULTY
    return Result.SUSPECTED if state.suspects else Result.GOOD
