"""An alert as OASIS Common Alerting Protocol 1.2 has it (OASIS Standard, 1 July 2010). Pure.

Each step that concerns others is a message: the first an Alert, later ones Updates, the end a
Cancel; the newest is written, and it refers to all before it. What the standard leaves to us:

* category: Infra for what happens to devices, Env for readings, Security for events, else Other;
* severity: critical is Severe, warning Moderate, info Minor (Extreme is for people to say);
* urgency: critical is Immediate, the rest Expected, what is over Past;
* certainty: Observed, for a device said or the hub measured it;
* scope: Restricted to those in charge, unless the settings say Public;
* coordinates are taken as WGS 84, as they stand in the asset record.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from alerts.telling.messages import LONGEST_REASON, Wording, clean, reading
from alerts.telling.words import EXERCISE, SEVERITY, STEP, WHAT, Language
from hub.domain.alerts import Alert, AlertStep, Step
from hub.domain.events import Severity

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE: Final = "application/cap+xml"
# A camera sees about so far; the standard asks for a radius in kilometres.
RADIUS_KM = 0.05
_MESSAGES: Final = frozenset(
    {
        Step.FIRED,
        Step.FOLDED,
        Step.REPEATED,
        Step.ESCALATED,
        Step.ACKNOWLEDGED,
        Step.ASSIGNED,
        Step.REOPENED,
        Step.RESOLVED,
    }
)
_CATEGORY: Final = {
    "device_offline": "Infra",
    "device_degraded": "Infra",
    "nothing_seen": "Infra",
    "point_beyond": "Env",
    "event_of_kind": "Security",
    "event_count": "Security",
    "combination": "Security",
}
_SEVERITY: Final = {
    Severity.CRITICAL: "Severe",
    Severity.WARNING: "Moderate",
    Severity.INFO: "Minor",
}
_LANGUAGE: Final = {Language.ZH: "zh-CN", Language.EN: "en-US"}
_NOTE: Final = "演练 Exercise"
_RESTRICTION: Final = "For those in charge of the area"
# GB/T 2260 numbers counties with 6 digits; GB/T 10114 adds 3 for the town.
_CODE: Final = re.compile(r"(\d{6})(\d{3})?(?:\d{3})?\Z")
# What XML 1.0 cannot hold (section 2.2).
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class CapScope(StrEnum):
    """For whom a message is."""

    PUBLIC = "Public"
    RESTRICTED = "Restricted"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapPlace:
    """Where it is: the code of the area, and the coordinates of the device where they are known."""

    area_code: str
    longitude: float | None = None
    latitude: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CapSource:
    """Who says it: a name that is unique in the world, and for whom it is."""

    zone: tzinfo
    link_base: str = ""
    sender: str = ""
    scope: CapScope = CapScope.RESTRICTED

    @property
    def name(self) -> str:
        """The sender; made of the public address when none is set."""
        host = urlsplit(self.link_base).hostname or ""
        return re.sub(r"[\s,<&]", "", self.sender) or (f"gengfu@{host}" if host else "gengfu")


def build_cap(
    alert: Alert, steps: Sequence[AlertStep], place: CapPlace, source: CapSource
) -> bytes:
    """Write the newest message about an alert; ``steps`` in the order in which they were made."""
    said = [step for step in steps if step.step in _MESSAGES]
    fired = [
        AlertStep(id=0, alert_id=alert.id, at=alert.fired_at, actor="", step=Step.FIRED, note="")
    ]
    first, *others = said or fired
    last = others[-1] if others else first
    is_first = not others
    names = [f"gengfu.alert.{alert.id}.{number}" for number in range(1, len(others) + 2)]
    root = ET.Element("alert", xmlns=NAMESPACE)
    _add(root, "identifier", names[-1])
    _add(root, "sender", source.name)
    _add(root, "sent", format_time(last.at, source.zone))
    _add(root, "status", "Actual" if alert.drill_id is None else "Exercise")
    is_over = last.step is Step.RESOLVED
    _add(root, "msgType", "Alert" if is_first else "Cancel" if is_over else "Update")
    _add(root, "source", "Gengfu")
    _add(root, "scope", source.scope.value)
    if source.scope is CapScope.RESTRICTED:
        _add(root, "restriction", _RESTRICTION)
    if alert.drill_id is not None:
        _add(root, "note", _NOTE)
    if not is_first:
        earlier = zip(names, [first, *others[:-1]], strict=False)
        references = [
            f"{source.name},{name},{format_time(step.at, source.zone)}" for name, step in earlier
        ]
        _add(root, "references", " ".join(references))
    for language in Language:
        _add_info(root, alert, last, language, source)
        _add_area(root[-1], alert, place)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def format_time(at: datetime, zone: tzinfo) -> str:
    """A time as section 3.3.2 wants it: whole seconds and an offset, never Z."""
    local = at.astimezone(zone).replace(microsecond=0)
    offset = local.utcoffset() or timedelta()
    if not offset:
        return local.strftime("%Y-%m-%dT%H:%M:%S-00:00")
    return local.isoformat()


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _NOT_XML.sub("", text)


def _add_pair(parent: ET.Element, name: str, key: str, value: str) -> None:
    pair = ET.SubElement(parent, name)
    _add(pair, "valueName", key)
    _add(pair, "value", value)


def _add_info(
    root: ET.Element, alert: Alert, last: AlertStep, language: Language, source: CapSource
) -> None:
    is_over = last.step is Step.RESOLVED
    mark = "" if alert.drill_id is None else EXERCISE[language]
    what = WHAT[language].get(alert.condition, alert.condition)
    where = " · ".join(clean(name) for name in (alert.device_name, alert.area_name) if name)
    info = ET.SubElement(root, "info")
    _add(info, "language", _LANGUAGE[language])
    _add(info, "category", _CATEGORY.get(alert.condition, "Other"))
    _add(info, "event", what)
    _add(info, "responseType", "AllClear" if is_over else _response(source.scope))
    _add(info, "urgency", _urgency(alert.severity, is_over=is_over))
    _add(info, "severity", _SEVERITY[alert.severity])
    _add(info, "certainty", "Observed")
    _add_pair(info, "eventCode", "gengfu:condition", alert.condition)
    _add(info, "effective", format_time(last.at, source.zone))
    _add(info, "onset", format_time(alert.started_at, source.zone))
    _add(info, "senderName", "更夫 Gengfu")
    step = STEP[language][last.step]
    _add(info, "headline", f"{mark}{step}: {clean(alert.rule_name)}, {where}")
    reason = clean(
        alert.resolution if is_over and alert.resolution else alert.reason, LONGEST_REASON
    )
    _add(info, "description", f"{mark}{reason}")
    link = Wording(zone=source.zone, link_base=source.link_base).link(alert)
    if link:
        _add(info, "web", link)
    parameters = {
        "gengfu:alert": str(alert.id),
        "gengfu:severity": SEVERITY[language][alert.severity],
        "gengfu:step": last.step.value,
        "gengfu:device": clean(alert.device_name),
        "gengfu:reading": reading(alert),
        "gengfu:folded": str(alert.folded) if alert.is_storm else "",
    }
    for key, value in parameters.items():
        if value:
            _add_pair(info, "parameter", key, value)


def _response(scope: CapScope) -> str:
    """Section 3.2.2: Assess is not for the public."""
    return "Assess" if scope is CapScope.RESTRICTED else "Monitor"


def _urgency(severity: Severity, *, is_over: bool) -> str:
    if is_over:
        return "Past"
    return "Immediate" if severity is Severity.CRITICAL else "Expected"


def _add_area(info: ET.Element, alert: Alert, place: CapPlace) -> None:
    area = ET.SubElement(info, "area")
    _add(area, "areaDesc", clean(alert.area_name) or "-")
    if place.latitude is not None and place.longitude is not None:
        _add(area, "circle", f"{place.latitude:.6f},{place.longitude:.6f} {RADIUS_KM:g}")
    if found := _CODE.match(place.area_code):
        _add_pair(area, "geocode", "GB/T 2260", found[1])
        if found[2]:
            _add_pair(area, "geocode", "GB/T 10114", found[1] + found[2])
    _add_pair(area, "geocode", "gengfu:area", place.area_code)
