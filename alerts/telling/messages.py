"""The words of a message, in Chinese and English. Pure.

Names come from users *and from devices*: they are never a template, never markup, never more
than one line. There is no secret in here. An exercise says so before anything else.
"""

import math
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from alerts.telling.words import (
    COLON,
    COLOUR,
    CUT,
    EXERCISE,
    LABELS,
    PARTLY_EXERCISE,
    SEVERITY,
    STEP,
    STORM,
    WHAT,
    Language,
)
from hub.domain.alerts import Alert, Step
from hub.domain.events import Severity
from hub.domain.notes import Note
from hub.domain.notifications import Message, Notification, Receiver

LONGEST_NAME = 128
LONGEST_TITLE = 160
LONGEST_REASON = 400
# A reason within one line of a digest.
LONGEST_SHORT_REASON = 80
# Lines of a digest; what is left out is counted in its last line.
MOST_LINES = 20
# Control, format (among them bidirectional overrides), surrogate and private characters.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_FROM_BAD_TO_MILD: Final = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
# In which order a subject counts; the other steps follow.
_ORDER: Final = (Step.FIRED, Step.ESCALATED, Step.REPEATED, Step.RESOLVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What words need beside the message: the time zone, and the console's public address.

    Without a ``link_base`` there are no links.
    """

    zone: tzinfo
    link_base: str = ""

    def link(self, alert: Alert) -> str:
        """Where the alert can be seen; a test message is about none."""
        is_there = bool(self.link_base and alert.id)
        return f"{self.link_base.rstrip('/')}/alerts/{alert.id}" if is_there else ""

    def picture(self, alert: Alert) -> str:
        """Where its picture can be seen, by whoever may see the alert."""
        base = self.link_base.rstrip("/")
        return f"{base}/api/v1/alerts/{alert.id}/picture" if base else ""

    def local(self, at: datetime | None) -> str:
        """A time as people of this place read it, with its offset."""
        return "" if at is None else at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S %z")


def clean(text: str, longest: int = LONGEST_NAME) -> str:
    """Make a foreign text harmless in one line: no control characters, no line breaks."""
    seen = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in text)
    short = " ".join(seen.split())
    return short if len(short) <= longest else short[: longest - 1] + "…"


def language_of(receiver: Receiver) -> Language:
    """What the receiver reads; Chinese unless its options say otherwise."""
    is_english = receiver.options.get("language") == Language.EN.value
    return Language.EN if is_english else Language.ZH


def drill_mark(message: Message, language: Language) -> str:
    """What an exercise is marked with; empty for the real thing."""
    drills = sum(told.alert.drill_id is not None for told in message.notifications)
    if not drills:
        return ""
    is_all = drills == len(message.notifications)
    return EXERCISE[language] if is_all else PARTLY_EXERCISE[language]


def tally(message: Message) -> Mapping[Step, int]:
    """How many of each step the message is about, in the order in which they are named."""
    counted = message.tally or Counter(told.step.step for told in message.notifications)
    steps = [*_ORDER, *(step for step in Step if step not in _ORDER)]
    return {step: counted[step] for step in steps if counted.get(step)}


def write_subject(message: Message, language: Language) -> str:
    """One line: what, how bad, where; of a digest: how many of what; of a note: its title."""
    if message.note is not None:
        return clean(message.note.title, LONGEST_TITLE)
    mark = drill_mark(message, language)
    if is_digest(message):
        return mark + _digest_subject(message, language)
    return mark + _single_subject(message.notifications[0], language)


def write_text(
    message: Message, language: Language, wording: Wording, *, longest: int | None = None
) -> str:
    """The whole message as plain text, the subject first.

    A digest of more than ``longest`` bytes shows fewer lines; what it does not show it counts.
    """
    if message.note is not None:
        return _write_note(message.note, write_subject(message, language))
    if not is_digest(message):
        told = message.notifications[0]
        return "\n".join(
            [write_subject(message, language), "", *_details(told, message, language, wording)]
        )
    lines = min(MOST_LINES, len(message.notifications))
    while True:
        text = _digest(message, language, wording, lines)
        if longest is None or len(text.encode()) <= longest or lines == 0:
            return text
        lines -= 1


def fit(text: str, longest: int, language: Language) -> str:
    """Cut a text to so many bytes of UTF-8, and say so."""
    raw = text.encode()
    if len(raw) <= longest:
        return text
    mark = CUT[language]
    return raw[: longest - len(mark.encode())].decode(errors="ignore") + mark


def is_digest(message: Message) -> bool:
    """Whether it tells of many at once."""
    return message.note is None and (message.count != 1 or len(message.notifications) != 1)


def _write_note(note: Note, title: str) -> str:
    """The link stands first: whatever a service cuts off, it is not that."""
    lines = [clean(line, LONGEST_REASON) for line in note.text.splitlines()]
    return "\n".join([title, "", note.link.reveal(), *lines])


def write_headline(told: Notification, language: Language) -> str:
    """One notification in one line, with its mark."""
    mark = "" if told.alert.drill_id is None else EXERCISE[language]
    return mark + _single_subject(told, language)


def _single_subject(told: Notification, language: Language) -> str:
    alert = told.alert
    step = STEP[language][told.step.step]
    severity = SEVERITY[language][alert.severity]
    what = _what(alert, language)
    where = " · ".join(clean(name) for name in (alert.device_name, alert.area_name) if name)
    rule = clean(alert.rule_name)
    if language is Language.ZH:
        return f"【{severity}】{step}:{rule}({what}){where}"
    return f"[{severity}] {step}: {rule} ({what}), {where}"


def _what(alert: Alert, language: Language) -> str:
    if alert.is_storm:
        return STORM[language].format(alert.folded)
    return WHAT[language].get(alert.condition, alert.condition)


def _digest_subject(message: Message, language: Language) -> str:
    present = {told.alert.severity for told in message.notifications}
    worst = next((level for level in _FROM_BAD_TO_MILD if level in present), Severity.INFO)
    severity = SEVERITY[language][worst]
    counted = tally(message)
    unseen = message.count - sum(counted.values())
    if language is Language.ZH:
        parts = [f"{STEP[language][step]} {count} 条" for step, count in counted.items()]
        parts += [f"其余 {unseen} 条"] if unseen > 0 else []
        return f"【{severity}】共 {message.count} 条告警:{','.join(parts)}"
    parts = [f"{count} {STEP[language][step].lower()}" for step, count in counted.items()]
    parts += [f"{unseen} more"] if unseen > 0 else []
    return f"[{severity}] {message.count} alerts: {', '.join(parts)}"


def _details(
    told: Notification, message: Message, language: Language, wording: Wording
) -> list[str]:
    alert = told.alert
    is_resolved = told.step.step is Step.RESOLVED
    values = {
        "rule": clean(alert.rule_name),
        "severity": SEVERITY[language][alert.severity],
        "area": clean(alert.area_name),
        "device": clean(alert.device_name),
        "channel": clean(alert.channel),
        "point": reading(alert),
        "reason": clean(told.step.note or alert.reason, LONGEST_REASON),
        "folded": str(alert.folded) if alert.is_storm else "",
        "since": wording.local(alert.started_at),
        "due": _due(alert, message.created_at, language, wording),
        "resolved": wording.local(alert.resolved_at) if is_resolved else "",
        "by": clean(told.step.actor) if is_resolved else "",
        "why": clean(told.why, LONGEST_REASON),
        "alert": str(alert.id),
        "link": wording.link(alert),
    }
    labels, colon = LABELS[language], COLON[language]
    return [labels[key] + colon + value for key, value in values.items() if value]


def reading(alert: Alert) -> str:
    """The point and what it read."""
    if not alert.point:
        return ""
    is_number = alert.value is not None and math.isfinite(alert.value)
    value = f" {alert.value:g}{clean(alert.unit, 16)}" if is_number else ""
    return clean(alert.point) + value


def _due(alert: Alert, now: datetime, language: Language, wording: Wording) -> str:
    if alert.deadline is None:
        return ""
    colour = COLOUR[language][alert.colour(now)]
    due = wording.local(alert.deadline)
    return f"{due}({colour})" if language is Language.ZH else f"{due} ({colour})"


def _digest(message: Message, language: Language, wording: Wording, most: int) -> str:
    """Lines under headings: whichever of area and rule makes fewer of them."""
    shown = list(message.notifications)[:most]
    areas = {told.alert.area_id for told in shown}
    rules = {told.alert.rule_id for told in shown}
    by_area = len(areas) <= len(rules)
    groups: dict[int, list[Notification]] = {}
    for told in shown:
        key = told.alert.area_id if by_area else told.alert.rule_id
        groups.setdefault(key, []).append(told)
    lines = [write_subject(message, language)]
    for group in groups.values():
        lines += ["", *_group(group, by_area=by_area, language=language, wording=wording)]
    rest = message.count - len(shown)
    if rest > 0:
        more = (
            f"另有 {rest} 条未列出" if language is Language.ZH else f"and {rest} more, not listed"
        )
        lines += ["", f"{more} {wording.link_base.rstrip('/')}".rstrip()]
    return "\n".join(lines)


def _group(
    group: Sequence[Notification], *, by_area: bool, language: Language, wording: Wording
) -> list[str]:
    first = group[0].alert
    lines = [f"{clean(first.area_name if by_area else first.rule_name)} ({len(group)})"]
    for told in group:
        alert = told.alert
        mark = "" if alert.drill_id is None else EXERCISE[language]
        severity = SEVERITY[language][alert.severity]
        names = (alert.rule_name if by_area else alert.area_name, alert.device_name)
        who = " · ".join(clean(name) for name in names if name)
        point = reading(alert)
        many = f"({_what(alert, language)})" if alert.is_storm else ""
        reason = clean(told.step.note or alert.reason, LONGEST_SHORT_REASON)
        at = told.step.at.astimezone(wording.zone).strftime("%m-%d %H:%M:%S")
        parts = (
            f"- {mark}{at}",
            STEP[language][told.step.step],
            severity,
            who + many,
            point,
            reason,
            wording.link(alert),
        )
        lines.append(" | ".join(part for part in parts if part))
    return lines
