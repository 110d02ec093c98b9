"""A receiver's own text for its messages, in a small part of the Liquid language.

A template can show values, choose and walk lists: ``{{ … }}``, ``if``, ``unless``, ``for``,
``comment`` and the filters below. It can keep nothing, make nothing longer and reach no
Python object: it sees a plain dictionary of cleaned texts, so what a device calls itself is never
a template. Loops, output and its own length are limited, which bounds the time it takes.
Lists: ``notifications``; of the first one also ``alert``, ``step``, ``step_name``, ``at``, ``by``,
``note``, ``why``. A Chinese example, and an English one for digests::

    {{ step_name }}:{{ alert.area }} {{ alert.device }}
    {{ alert.reason }}{% if alert.deadline != "" %},请于 {{ alert.deadline }} 前处理{% endif %}
    {{ alert.link }}

    {% if digest %}{{ count }} alerts
    {% for told in notifications %}{{ told.headline }}
    {% endfor %}{% if left_out > 0 %}and {{ left_out }} more{% endif %}
    {%- else %}{{ subject }}: {{ alert.reason }} {{ alert.link }}{% endif %}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import ClassVar, Final

from liquid import BoundTemplate, Environment, StrictDefaultUndefined
from liquid.builtin import content, illegal, output
from liquid.builtin.filters.misc import default, size
from liquid.builtin.filters.string import downcase, escape, strip, truncate, upcase
from liquid.builtin.tags import comment_tag, for_tag, if_tag, unless_tag
from liquid.exceptions import LiquidError, LiquidSyntaxError

from alerts.telling.messages import (
    LONGEST_REASON,
    Wording,
    clean,
    drill_mark,
    is_digest,
    language_of,
    reading,
    tally,
    write_headline,
    write_subject,
    write_text,
)
from alerts.telling.words import COLOUR, SEVERITY, STEP, WHAT, Language
from hub.domain.alerts import Alert, AlertStatus, AlertStep, Step
from hub.domain.devices import Json
from hub.domain.errors import Invalid
from hub.domain.events import Severity
from hub.domain.notifications import Message, Notification, Receiver, ReceiverKind

LONGEST_TEMPLATE = 4_000
LONGEST_OUTPUT = 20_000  # bytes of UTF-8
MOST_ITERATIONS = 200
LONGEST_FAILURE = 200
# What the library lets through for odd templates, beside its own errors.
_FAILURES: Final = (
    LiquidError,
    RecursionError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What a template made of a message; with a ``failure`` the text is empty.

    A message without a text of its own goes out in the hub's words.
    """

    text: str
    failure: str = ""


class _Environment(Environment):
    """Liquid without partials, assignments and whatever could make a text longer."""

    loop_iteration_limit: ClassVar[int | None] = MOST_ITERATIONS
    output_stream_limit: ClassVar[int | None] = LONGEST_OUTPUT
    context_depth_limit: ClassVar[int] = 10
    block_nesting_limit: ClassVar[int] = 10

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Register the few that a message needs."""
        del extra
        for tag in (
            content.Literal,
            output.Output,
            illegal.Illegal,
            comment_tag.CommentTag,
            if_tag.IfTag,
            unless_tag.UnlessTag,
            for_tag.ForTag,
            for_tag.BreakTag,
            for_tag.ContinueTag,
        ):
            self.add_tag(tag)
        for function in (default, size, downcase, upcase, escape, strip, truncate):
            self.add_filter(function.__name__, function)


_ENVIRONMENT: Final = _Environment(undefined=StrictDefaultUndefined)


def render(template: str, message: Message, wording: Wording) -> Rendered:
    """Render; never raises for what a template does."""
    try:
        text = _compiled(template).render(build_context(message, wording))
    except _FAILURES as error:
        return Rendered(text="", failure=_describe(error))
    if not text.strip():
        return Rendered(text="", failure="the template came out empty")
    mark = drill_mark(message, language_of(message.receiver))
    return Rendered(text=text if text.startswith(mark.strip()) else mark + text)


def check_template(text: str) -> None:
    """Try a template on examples: a single one that fires, one that is over, and a digest.

    Raises:
        Invalid: with the line and the reason.
    """
    if not text:
        return
    wording = Wording(zone=UTC, link_base="https://hub.example.org")
    for message in _EXAMPLES:
        rendered = render(text, message, wording)
        if rendered.failure:
            raise Invalid(rendered.failure, field="template")


def build_context(message: Message, wording: Wording) -> dict[str, object]:
    """All that a template can see: texts, numbers, truths, lists and dictionaries of them."""
    language = language_of(message.receiver)
    shown = [_told(told, message, language, wording) for told in message.notifications]
    first = shown[0] if shown else {}
    return {
        **first,
        "subject": write_subject(message, language),
        "text": write_text(message, language, wording),
        "digest": is_digest(message),
        "count": message.count,
        "left_out": message.count - len(shown),
        "steps": {step.value: count for step, count in tally(message).items()},
        "notifications": shown,
        "receiver": clean(message.receiver.name),
    }


def _told(
    told: Notification, message: Message, language: Language, wording: Wording
) -> dict[str, object]:
    step = told.step
    return {
        "headline": write_headline(told, language),
        "step": step.step.value,
        "step_name": STEP[language][step.step],
        "at": wording.local(step.at),
        "by": clean(step.actor),
        "note": clean(step.note, LONGEST_REASON),
        "why": clean(told.why, LONGEST_REASON),
        "alert": _alert(told.alert, message.created_at, language, wording),
    }


def _alert(alert: Alert, now: datetime, language: Language, wording: Wording) -> Mapping[str, Json]:
    colour = alert.colour(now)
    return {
        "id": alert.id,
        "link": wording.link(alert),
        "exercise": alert.drill_id is not None,
        "rule": clean(alert.rule_name),
        "condition": alert.condition,
        "condition_name": WHAT[language].get(alert.condition, alert.condition),
        "severity": alert.severity.value,
        "severity_name": SEVERITY[language][alert.severity],
        "status": alert.status.value,
        "area": clean(alert.area_name),
        "device": clean(alert.device_name),
        "channel": clean(alert.channel),
        "point": clean(alert.point),
        "reading": reading(alert),
        "reason": clean(alert.reason, LONGEST_REASON),
        "folded": alert.folded,
        "started": wording.local(alert.started_at),
        "fired": wording.local(alert.fired_at),
        "deadline": wording.local(alert.deadline),
        "colour": colour.value if alert.deadline else "",
        "colour_name": COLOUR[language][colour] if alert.deadline else "",
        "resolved": wording.local(alert.resolved_at),
        "resolved_by": clean(alert.resolved_by),
        "resolution": clean(alert.resolution, LONGEST_REASON),
    }


@lru_cache(maxsize=64)
def _compiled(template: str) -> BoundTemplate:
    if len(template) > LONGEST_TEMPLATE:
        msg = f"a template has at most {LONGEST_TEMPLATE} characters"
        raise LiquidSyntaxError(msg, token=None)
    if template.count("{{") > template.count("}}"):
        # The lexer would look for the end once for each beginning.
        msg = "there are more {{ than }}"
        raise LiquidSyntaxError(msg, token=None)
    return _ENVIRONMENT.from_string(template)


def _describe(error: Exception) -> str:
    """The line and the reason, in one line."""
    if not isinstance(error, LiquidError) or isinstance(error.__cause__, RecursionError):
        return f"the template cannot be used: {type(error.__cause__ or error).__name__}"
    reason = clean(str(error.message), LONGEST_FAILURE)
    try:
        where = error.context()
    except ValueError:  # it points behind the end
        where = None
    return reason if where is None else f"line {where[0]}: {reason}"


def _example(step: Step) -> Notification:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    is_over = step is Step.RESOLVED
    alert = Alert(
        id=1,
        rule_id=1,
        rule_name="Camera offline",
        condition="device_offline",
        severity=Severity.CRITICAL,
        status=AlertStatus.RESOLVED if is_over else AlertStatus.FIRING,
        area_id=1,
        area_path="county.village",
        area_name="Village",
        device_id=1,
        device_name="Camera 1",
        point="",
        unit="",
        channel="",
        event_id=1,
        value=None,
        reason="offline for 30 s",
        started_at=at,
        fired_at=at,
        acknowledged_at=None,
        acknowledged_by="",
        resolved_at=at if is_over else None,
        resolved_by="hub" if is_over else "",
        resolution="",
        acknowledge_by=at + timedelta(minutes=15),
    )
    told = AlertStep(id=1, alert_id=1, at=at, actor="hub", step=step, note=alert.reason)
    return Notification(id=1, alert=alert, step=told)


def _example_message(*told: Notification, count: int) -> Message:
    return Message(
        id=1,
        message_id="00000000-0000-0000-0000-000000000000",
        receiver=Receiver(name="example", area_id=1, kind=ReceiverKind.SMTP),
        notifications=told,
        count=count,
        created_at=told[0].step.at,
    )


_EXAMPLES: Final = (
    _example_message(_example(Step.FIRED), count=1),
    _example_message(_example(Step.RESOLVED), count=1),
    _example_message(_example(Step.FIRED), _example(Step.RESOLVED), count=23),
)
