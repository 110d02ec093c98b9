"""What verdicts on pictures mean to everybody else: events and reports of status. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from hub.domain.devices import Json
from hub.domain.events import Severity, StoredEvent
from hub.domain.health import DeviceStatusReport, Layer, Status
from hub.domain.quality import Faults, Finding, Index, PictureState
from hub.maintenance.pictures.transitions import Step
from hub.maintenance.pictures.wording import fault_sentence
from hub.store.picture_due import DuePicture
from hub.store.status import StatusRow

FAULT: Final = "picture.fault"
MENDED: Final = "picture.mended"
NOT_JUDGED: Final = "it is not judged any longer"


def events_of(camera: DuePicture, step: Step, at: datetime) -> list[StoredEvent]:
    """Return an event for every fault that began or ended."""
    state = step.state
    event = StoredEvent(
        id=0,
        kind=FAULT,
        area_id=camera.area_id,
        area_path=camera.area_path,
        at=at,
        received_at=at,
        device_id=camera.target.device_id,
        device_name=camera.device_name,
        channel=camera.target.channel,
        severity=Severity.WARNING,
        is_active=True,
    )
    began = [
        replace(event, data={**_found(finding), "mode": state.mode.value}) for finding in step.began
    ]
    return began + [
        replace(
            event,
            kind=MENDED,
            severity=Severity.INFO,
            is_active=False,
            data={**_over(camera.state.faults, state, index), "mode": state.mode.value},
        )
        for index in step.ended
    ]


def report_of(
    camera: DuePicture, step: Step, at: datetime, held: StatusRow | None
) -> DeviceStatusReport | None:
    """Return what is to be reported of a camera's picture; None: that is known already.

    Whether an unknown camera is there, the probes say first.
    """
    if held is None or held.status is Status.UNKNOWN:
        return None
    faults = step.state.faults
    is_held = Layer.PICTURE in held.faults
    is_changed = faults.keys() != camera.state.faults.keys()
    if bool(faults) is is_held and not (faults and is_changed):
        return None
    return DeviceStatusReport(
        device_id=camera.target.device_id,
        probed_at=at,
        layer=Layer.PICTURE if faults else None,
        detail=fault_sentence(faults),
        seen=frozenset({Layer.PICTURE}),
        # Another fault beside one that is known is no other layer, but another sentence.
        confirms=bool(faults) and is_held,
    )


def _found(finding: Finding) -> Mapping[str, Json]:
    return {
        "index": finding.index.value,
        "score": round(finding.score, 1),
        "threshold": round(finding.threshold, 1),
        "why": finding.why,
    }


def _over(before: Faults, state: PictureState, index: Index) -> Mapping[str, Json]:
    since = {"since": before[index].since.isoformat()}
    for finding in state.findings:
        if finding.index is index:
            return {**_found(finding), **since}
    return {"index": index.value, "score": None, "threshold": None, "why": NOT_JUDGED, **since}
