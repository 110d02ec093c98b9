"""From verdicts to faults: when a fault is believed, and when it is over. Pure.

A fault is believed after several looks in a row, a pause apart, so that headlights, a passing
lorry or a cloud alarm nobody (what covers little must last for hours: it may be a parked car); the
camera's own opinion counts as a look at the moment it gave it.
It is over after several good looks, each clearly below the threshold. What could not be judged is
neither good nor bad: suspicion and fault wait. Only what nobody judges any more, or what was
suppressed by nothing and yet not judged for days, ends without a good look.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from hub.domain.quality import Finding, Index, PictureCheck, PictureFault, PictureState

ALL: Final = frozenset(Index)
NO_OPINIONS: Final[Mapping[Index, datetime]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """How many looks in a row are needed, and at least how many pauses lie between two.

    Below the score ``severe`` ``lasting`` pauses must lie between the first look and the last.
    """

    looks: int = 2
    pauses: float = 1.0
    severe: float = 0.0
    lasting: float = 0.0


# Practice; a pause is a minute at default settings. Five of them outlast a lorry that waits with
# its lights on; what compares with a baseline is asked three times over ten. A cover over less than
# a fifth of the picture must have lasted for three hours: by then parked cars have mostly left.
CONFIRMATIONS: Final[Mapping[Index, Confirmation]] = MappingProxyType(
    {
        Index.SIGNAL: Confirmation(),
        Index.FREEZE: Confirmation(pauses=10),
        Index.OCCLUSION: Confirmation(looks=3, pauses=5, severe=70.0, lasting=180),
        Index.SCENE: Confirmation(looks=3, pauses=5),
        Index.DARK: Confirmation(),
        Index.BRIGHT: Confirmation(pauses=5),
        Index.CONTRAST: Confirmation(pauses=5),
        Index.BLUR: Confirmation(),
        Index.CAST: Confirmation(),
        Index.NOISE: Confirmation(),
        Index.STRIPES: Confirmation(),
        Index.JITTER: Confirmation(pauses=5),
        Index.PTZ: Confirmation(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirming:
    """When a fault begins and when it is over.

    A good look lies at least ``margin`` points below the threshold, or a tenth of a lower one.
    The camera's own opinion counts for ``opinion_s``. A suspicion that nothing was added to for
    ``suspect_s`` is dropped; a fault that looks could not judge for ``forget_s`` is over.
    """

    confirmations: Mapping[Index, Confirmation] = field(default_factory=lambda: CONFIRMATIONS)
    pause_s: float = 60.0
    good_looks: int = 2
    margin: float = 3.0
    opinion_s: float = 3_600.0
    suspect_s: float = 6 * 3_600.0
    forget_s: float = 3 * 86_400.0

    def looks_of(self, index: Index) -> int:
        """Looks in a row that confirm a fault."""
        return self._of(index).looks

    def spacing_s(self, index: Index) -> float:
        """Seconds between two of them, at the least."""
        return self._of(index).pauses * self.pause_s

    def lasting_s(self, index: Index, score: float) -> float:
        """Seconds a fault of this score must have lasted: 0 if it is severe."""
        one = self._of(index)
        return 0.0 if score >= one.severe else one.lasting * self.pause_s

    def is_good(self, finding: Finding) -> bool:
        """Tell whether a finding speaks for the end of a fault."""
        return finding.score < finding.threshold - min(self.margin, finding.threshold / 10)

    def _of(self, index: Index) -> Confirmation:
        return self.confirmations.get(index, CONFIRMATIONS[index])


DEFAULT: Final = Confirming()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one look made of a state, and in how many seconds another is wanted, if so soon."""

    state: PictureState
    began: tuple[Finding, ...] = ()
    ended: tuple[Index, ...] = ()
    recheck_in_s: float | None = None


def step(
    state: PictureState,
    check: PictureCheck,
    at: datetime,
    opinions: Mapping[Index, datetime] = NO_OPINIONS,
    confirm: Confirming = DEFAULT,
    judged: Collection[Index] = ALL,
) -> Step:
    """Return what a look at ``at`` makes of what was known.

    ``judged`` are the indices somebody wants judged, by day or by night: a fault of any other is
    over. The same arguments give the same answer.
    """
    look = _Look(state, check, at, opinions, confirm)
    faults: dict[Index, PictureFault] = {}
    suspects: dict[Index, PictureFault] = {}
    mending: dict[Index, int] = {}
    began, ended = [], []
    for index in Index:
        finding = look.findings.get(index)
        if index not in judged:
            ended += [index] if index in state.faults else []
            continue
        if index in state.faults:
            good = look.good_looks(index, finding)
            if good >= confirm.good_looks or look.is_forgotten(index, finding):
                ended.append(index)
                continue
            faults[index] = look.standing(state.faults[index], finding)
            if good:
                mending[index] = good
            continue
        suspect = look.suspected(index, finding)
        if suspect is None:
            continue
        if finding is not None and look.is_confirmed(index, suspect):
            faults[index] = suspect
            began.append(finding)
        else:
            suspects[index] = suspect
    after = replace(
        state,
        tried_at=at,
        checked_at=at,
        mode=check.mode,
        width=check.width,
        height=check.height,
        findings=check.findings,
        faults=faults,
        suspects=suspects,
        mending=mending,
        unseen="",
        fingerprint=check.fingerprint,
    )
    return Step(
        state=after,
        began=tuple(began),
        ended=tuple(ended),
        recheck_in_s=look.recheck_in_s(after, is_news=bool(began or ended)),
    )


class _Look:
    """One look at a camera, index by index."""

    def __init__(
        self,
        state: PictureState,
        check: PictureCheck,
        at: datetime,
        opinions: Mapping[Index, datetime],
        confirm: Confirming,
    ) -> None:
        self._state = state
        self._at = at
        self._opinions = opinions
        self._confirm = confirm
        self.findings = {finding.index: finding for finding in check.findings}

    def good_looks(self, index: Index, finding: Finding | None) -> int:
        """Good looks in a row at a standing fault, this one counted; looks in haste are one."""
        before = self._state.mending.get(index, 0)
        if finding is None:
            return before
        if not self._confirm.is_good(finding):
            return 0
        since = self._state.checked_at
        in_haste = since is not None and 0 <= _seconds(since, self._at) < self._confirm.pause_s
        return before if before and in_haste else before + 1

    def is_forgotten(self, index: Index, finding: Finding | None) -> bool:
        """Tell whether a standing fault could not be judged for so long that it is not known.

        A lost signal suppresses all other verdicts: as long as it is seen they wait.
        """
        if finding is not None or self._is_lost():
            return False
        return self._age_s(self._state.faults[index]) >= self._confirm.forget_s

    def standing(self, fault: PictureFault, finding: Finding | None) -> PictureFault:
        """A standing fault after this look."""
        if finding is None or not finding.is_fault:
            return fault
        return replace(_described(fault, finding), looks=fault.looks + 1, seen_at=self._at)

    def suspected(self, index: Index, finding: Finding | None) -> PictureFault | None:
        """A suspicion after this look; None: there is none."""
        suspect = self._state.suspects.get(index)
        if suspect is not None and not self._is_fresh(suspect):
            suspect = None
        if finding is None:
            return suspect
        if not finding.is_fault:
            return None
        spacing_s, lasting_s = self._confirm.spacing_s(index), self._confirm.lasting_s
        said_at = self._said_at(index)
        if suspect is None:
            suspect = PictureFault(
                since=said_at or self._at,
                looks=1,
                score=finding.score,
                threshold=finding.threshold,
                why=finding.why,
                seen_at=said_at or self._at,
            )
        elif lasting_s(index, finding.score) < lasting_s(index, suspect.score):
            # Looks at what was slight do not confirm what is severe.
            suspect = replace(suspect, looks=1, seen_at=self._at)
        elif said_at is not None:
            suspect = _counted(suspect, said_at, spacing_s)
        return _described(_counted(suspect, self._at, spacing_s), finding)

    def recheck_in_s(self, after: PictureState, *, is_news: bool) -> float | None:
        """Seconds until a look that could count; what could not be judged now waits its turn.

        After news there is one more soon: if a crash kept it from being told, it is told then.
        """
        waits = [
            self._wait_s(index, suspect)
            for index, suspect in after.suspects.items()
            if index in self.findings
        ]
        if is_news or not self.findings.keys().isdisjoint(after.mending):
            waits.append(self._confirm.pause_s)
        return min(waits, default=None)

    def is_confirmed(self, index: Index, suspect: PictureFault) -> bool:
        """Tell whether enough looks were made, and what is slight has lasted."""
        return suspect.looks >= self._confirm.looks_of(index) and self._lacks_s(index, suspect) <= 0

    def _wait_s(self, index: Index, suspect: PictureFault) -> float:
        if suspect.looks >= self._confirm.looks_of(index):
            return self._lacks_s(index, suspect)
        return max(self._confirm.spacing_s(index) - self._age_s(suspect), 0.0)

    def _lacks_s(self, index: Index, suspect: PictureFault) -> float:
        return self._confirm.lasting_s(index, suspect.score) - _seconds(suspect.since, self._at)

    def _age_s(self, fault: PictureFault) -> float:
        """Seconds since a fault was seen last."""
        return _seconds(fault.seen_at or fault.since, self._at)

    def _is_fresh(self, suspect: PictureFault) -> bool:
        """Tell whether a suspicion is young; one of the future (a clock was set back) is not."""
        return 0 <= self._age_s(suspect) <= self._confirm.suspect_s

    def _said_at(self, index: Index) -> datetime | None:
        """When the camera itself said so, if no look came after that."""
        said_at = self._opinions.get(index)
        if said_at is None or not 0 <= _seconds(said_at, self._at) <= self._confirm.opinion_s:
            return None
        before = self._state.checked_at
        return said_at if before is None or before <= said_at else None

    def _is_lost(self) -> bool:
        return any(one.index is Index.SIGNAL and one.is_fault for one in self.findings.values())


def _counted(suspect: PictureFault, at: datetime, spacing_s: float) -> PictureFault:
    """A suspicion after a look at ``at``, which counts if it is far enough from the last."""
    if _seconds(suspect.seen_at or suspect.since, at) < spacing_s:
        return suspect
    return replace(suspect, looks=suspect.looks + 1, seen_at=at)


def _described(fault: PictureFault, finding: Finding) -> PictureFault:
    return replace(fault, score=finding.score, threshold=finding.threshold, why=finding.why)


def _seconds(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds()
