"""What stands by itself and what counts in another: a few alerts for many faults. Pure.

Of one rule ``most_in_area`` open alerts about one area, and ``most`` in all, stand by themselves;
the rest counts in an alert for many (a *storm*), which is told once and ends with the last that
counts in it. An uplink that turns out to be dead takes the alerts about what hangs on it into its
own. None is dropped, and only what is open decides, never the time: one event after the other or
ten thousand at once come to the same.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.domain.alerts import Rule, RuleState, Step, subject_key
from hub.domain.conditions import Condition, DeviceDegraded, DeviceOffline, EventOfKind
from hub.store.alert_openings import Opening
from hub.store.open_alerts import Hanging, OpenAlert, Standing

Key = tuple[int, str]
# Of which rule, in which drill (None: in earnest), about which area.
_Heap = tuple[int, int | None, int]


@dataclass(slots=True, kw_only=True, eq=False)
class Entry:
    """An alert that is open, or was when the transaction began.

    ``opening`` is what it is made of, None for one that was there before; ``id`` is 0 until it
    has a number. ``into`` is the alert it counts in; ``inside`` count in it now, ``folded`` did
    so far.
    """

    id: int = 0
    rule_id: int
    subject: str
    area_id: int
    device_id: int | None = None
    parent_id: int | None = None
    drill_id: int | None = None
    is_about_status: bool = False
    is_storm: bool = False
    is_firing: bool = True
    folded: int = 0
    inside: int = 0
    reason: str = ""
    into: "Entry | None" = None
    opening: Opening | None = None
    closed_at: datetime | None = None
    resolution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A step of an alert; those with a lower ``turn`` are told first."""

    entry: Entry
    step: Step
    at: datetime
    note: str
    turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the database says before anything changes.

    ``alerts`` are those that may change, every storm of the rules among them; ``areas`` are the
    names of those that are still there. ``absences`` say that an uplink is not there.
    """

    alerts: Sequence[OpenAlert] = ()
    absences: Sequence[OpenAlert] = ()
    standing: Sequence[Standing] = ()
    areas: Mapping[int, str] = field(default_factory=dict)
    devices: Mapping[int, Hanging] = field(default_factory=dict)


class Ledger:
    """Open alerts, as one transaction changes them one after the other."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._open: dict[Key, Entry] = {}
        self._below: dict[int, list[Entry]] = {}
        self._absent: dict[int, list[Entry]] = {}
        self._standing: Counter[_Heap] = Counter()
        self._total: Counter[tuple[int, int | None]] = Counter()
        self._turns: dict[Key, tuple[int, bool]] = {}
        self.notes: list[Note] = []
        self.new: list[Entry] = []
        self.refolded: dict[int, Entry] = {}
        self.tallied: dict[int, Entry] = {}
        self.has_freed = False  # an uplink's alert is over: what counted in it may stand again
        self._read(known)

    def find(self, key: Key) -> Entry | None:
        """The open alert of a rule about a subject."""
        return self._open.get(key)

    def open(self, opening: Opening) -> Entry | None:
        """Open an alert; the one that is open already, if one is. None when its area is gone."""
        state = opening.state
        found = self._open.get((opening.rule.id, state.subject))
        if found is not None:
            return found
        if state.area_id not in self._known.areas:
            return None
        device = self._known.devices.get(state.device_id or 0)
        entry = Entry(
            rule_id=opening.rule.id,
            subject=state.subject,
            area_id=state.area_id,
            device_id=state.device_id,
            parent_id=None if device is None else device.parent_id,
            drill_id=opening.drill_id,
            is_about_status=opening.drill_id is None and is_about_status(opening.rule.condition),
            reason=opening.reason,
            opening=opening,
        )
        self._add(entry)
        self._note(entry, Step.FIRED, opening.at, opening.reason)
        if entry.is_about_status and is_about_absence(opening.rule.condition):
            self._take_below(entry, opening.at)  # first: it makes room
            self._absent.setdefault(entry.device_id or 0, []).append(entry)
        uplink = self._explaining(entry)
        if uplink is None:
            self._place(entry, opening)
        else:
            self._fold(entry, uplink, opening.at, f"behind {self._name(uplink)}, which was down")
        return entry

    def close(self, entry: Entry, at: datetime, reason: str) -> None:
        """Resolve an open alert, and the alert for many whose last one it was."""
        entry.closed_at, entry.resolution = at, reason
        del self._open[(entry.rule_id, entry.subject)]
        self._note(entry, Step.RESOLVED, at, reason)
        self._leave(entry, at)
        self.has_freed = self.has_freed or (entry.folded > 0 and not entry.is_storm)

    def stand_again(self, entry: Entry, rule: Rule, at: datetime) -> None:
        """An alert whose uplink's alert is over stands by itself, unless too many do."""
        entry.into = None
        self.refolded[entry.id] = entry
        state = RuleState(rule_id=rule.id, subject=entry.subject, area_id=entry.area_id)
        why = "what explained it is over, and it still fails"
        cause = Opening(rule=rule, state=state, at=at, reason=why)
        self._place(entry, cause)
        if entry.into is None:
            self._note(entry, Step.REPEATED, at, why)

    def _read(self, known: Known) -> None:
        by_id: dict[int, Entry] = {}
        for row in sorted(known.alerts, key=lambda alert: alert.id):
            if row.id not in by_id:
                by_id[row.id] = _entry(row)
                self._add(by_id[row.id], is_new=False)
        for row in known.alerts:
            if row.folded_into is not None:
                # An uplink's alert is only pointed at: nothing is asked of it.
                into = by_id.get(row.folded_into) or Entry(
                    id=row.folded_into, rule_id=0, subject="", area_id=0, inside=1
                )
                by_id[row.id].into = into
        for row in known.absences:
            self._absent.setdefault(row.device_id or 0, []).append(by_id[row.id])
        for heap in known.standing:
            self._count((heap.rule_id, heap.drill_id, heap.area_id), heap.number)

    def _add(self, entry: Entry, *, is_new: bool = True) -> None:
        self._open[(entry.rule_id, entry.subject)] = entry
        if is_new:
            self.new.append(entry)
        if entry.is_about_status and entry.parent_id is not None and entry.drill_id is None:
            self._below.setdefault(entry.parent_id, []).append(entry)

    def _place(self, entry: Entry, cause: Opening) -> None:
        """Let an alert stand by itself while there is room, and count it elsewhere if not."""
        rule = cause.rule
        heap = (rule.id, entry.drill_id, entry.area_id)
        if self._standing[heap] >= rule.most_in_area:
            area_id, limit = entry.area_id, rule.most_in_area
        elif self._total[heap[:2]] >= rule.most:
            area_id, limit = rule.area_id, rule.most
        else:
            self._count(heap, 1)
            return
        name = self._known.areas.get(area_id, "")
        storm = self._storm(cause, area_id, f"more than {limit} at once in {name}")
        self._fold(entry, storm, cause.at, f"more than {limit} at once in {name}: counted in one")
        storm.reason = f"{_prefix(cause)}{storm.folded} more in {name}"

    def _storm(self, cause: Opening, area_id: int, why: str) -> Entry:
        mark = "storm" if cause.drill_id is None else f"drill:{cause.drill_id}:storm"
        subject = subject_key(area_id=area_id, mark=mark)
        found = self._open.get((cause.rule.id, subject))
        if found is not None:
            return found
        state = RuleState(
            rule_id=cause.rule.id, subject=subject, area_id=area_id, since=cause.state.since
        )
        entry = Entry(
            rule_id=cause.rule.id,
            subject=subject,
            area_id=area_id,
            drill_id=cause.drill_id,
            is_storm=True,
            opening=replace(cause, state=state),
        )
        self._add(entry)
        self._note(entry, Step.FIRED, cause.at, f"{_prefix(cause)}{why}: the others count here")
        return entry

    def _take_below(self, uplink: Entry, at: datetime) -> None:
        """Fold what is open about the devices that hang on a dead one into its alert."""
        name = self._name(uplink)
        for entry in self._below.get(uplink.device_id or 0, ()):
            is_explained = entry.into is not None and not entry.into.is_storm
            if entry.closed_at is None and not is_explained and entry is not uplink:
                self._leave(entry, at)
                self._fold(entry, uplink, at, f"behind {name}, which is down")

    def _explaining(self, entry: Entry) -> Entry | None:
        """The open alert that a device's uplink is not there.

        Seldom asked: while the uplink is away alerts about its devices are held back. It counts
        when all is judged later than it happened, and the uplink is back.
        """
        if not entry.is_about_status or entry.parent_id is None:
            return None
        above = self._absent.get(entry.parent_id, ())
        return next((one for one in above if one.closed_at is None and one.into is not entry), None)

    def _name(self, uplink: Entry) -> str:
        device = self._known.devices.get(uplink.device_id or 0)
        return "its uplink" if device is None else device.name

    def _fold(self, entry: Entry, into: Entry, at: datetime, why: str) -> None:
        entry.into = into
        into.inside += 1
        into.folded += 1
        self.tallied[id(into)] = into
        if entry.id:
            self.refolded[entry.id] = entry
        self._note(entry, Step.FOLDED, at, why)

    def _leave(self, entry: Entry, at: datetime) -> None:
        """Take an alert out of where it stands or counts."""
        into = entry.into
        if into is None:
            if not entry.is_storm:
                self._count((entry.rule_id, entry.drill_id, entry.area_id), -1)
            return
        into.inside -= 1
        if into.is_storm and into.inside == 0 and into.closed_at is None:
            self.close(into, at, _all_over(into))

    def close_spent(self, entry: Entry, at: datetime) -> None:
        """Resolve an alert for many in which none counts any more."""
        self.close(entry, at, _all_over(entry))

    def _count(self, heap: _Heap, number: int) -> None:
        self._standing[heap] += number
        self._total[heap[:2]] += number

    def _note(self, entry: Entry, step: Step, at: datetime, note: str) -> None:
        """Steps of one subject keep their order: what fires after an end waits for its turn."""
        key = (entry.rule_id, entry.subject)
        turn, is_over = self._turns.get(key, (0, False))
        if is_over and step is not Step.RESOLVED:
            turn += 1
        self._turns[key] = (turn, step is Step.RESOLVED)
        self.notes.append(Note(entry=entry, step=step, at=at, note=note, turn=turn))


def is_about_status(condition: Condition) -> bool:
    """Tell whether a condition is about how a device is: its uplink may explain that."""
    match condition:
        case DeviceOffline() | DeviceDegraded():
            return True
        case EventOfKind(kind=kind):
            return kind in {"device.offline", "device.degraded"}
        case _:
            return False


def is_about_absence(condition: Condition) -> bool:
    """Tell whether a condition says that a device is not there: that explains its children."""
    match condition:
        case DeviceOffline():
            return True
        case EventOfKind(kind=kind):
            return kind == "device.offline"
        case _:
            return False


def areas_of(openings: Iterable[Opening]) -> set[int]:
    """The areas whose names are needed to open these."""
    return {n for o in openings for n in (o.state.area_id, o.rule.area_id)}


def _entry(row: OpenAlert) -> Entry:
    return Entry(
        id=row.id,
        rule_id=row.rule_id,
        subject=row.subject,
        area_id=row.area_id,
        device_id=row.device_id,
        parent_id=row.parent_id,
        drill_id=row.drill_id,
        is_about_status=row.is_about_status,
        is_storm=row.is_storm,
        is_firing=row.is_firing,
        folded=row.folded,
        inside=row.inside,
    )


def _prefix(cause: Opening) -> str:
    return f"{cause.drill}: " if cause.drill else ""


def _all_over(storm: Entry) -> str:
    return "it is over" if storm.folded == 1 else f"all {storm.folded} are over"
