"""The ONVIF PTZ service of a simulated camera (ver20): moved by hand, presets, a home position."""

import contextlib
import re
from collections.abc import Mapping

from hub.simulators.camera_state import CameraState
from hub.simulators.motor import MOST_PRESETS, Place, StoredPlace, Vector
from hub.simulators.onvif_device import Operation
from hub.simulators.onvif_media import find_shape
from hub.simulators.soap import Request, SoapFault, Xml, el

_SECONDS = re.compile(r"PT(\d{1,4}(?:\.\d{1,6})?)S\Z")


def _position(place: Place) -> Xml:
    pan, tilt, zoom = (f"{part:.2f}" for part in place.position)
    return Xml(
        el("tt:PanTilt", attributes={"x": pan, "y": tilt}) + el("tt:Zoom", attributes={"x": zoom})
    )


def _presets(state: CameraState, request: Request) -> Xml:
    find_shape(request)
    return el(
        "tptz:GetPresetsResponse",
        *(
            el(
                "tptz:Preset",
                el("tt:Name", one.name),
                el("tt:PTZPosition", _position(one.place)),
                attributes={"token": one.token},
            )
            for one in state.motor.stored
        ),
    )


def _find_preset(state: CameraState, request: Request) -> StoredPlace:
    find_shape(request)
    found = state.motor.find(request.values.get("PresetToken", ""))
    if found is None:
        reason = "Preset does not exist"
        raise SoapFault(subcodes=("ter:InvalidArgVal", "ter:NoToken"), reason=reason)
    return found


def _goto_preset(state: CameraState, request: Request) -> Xml:
    state.motor.jump(_find_preset(state, request).place)
    return el("tptz:GotoPresetResponse")


def _set_preset(state: CameraState, request: Request) -> Xml:
    find_shape(request)
    values = request.values
    name, token = values.get("PresetName", ""), values.get("PresetToken", "")
    stored = state.motor.store(name, token, state.true_now())
    if stored is None:
        reason = "Too many presets, or no such preset"
        raise SoapFault(subcodes=("ter:Action", "ter:TooManyPresets"), reason=reason)
    return el("tptz:SetPresetResponse", el("tptz:PresetToken", stored))


def _remove_preset(state: CameraState, request: Request) -> Xml:
    state.motor.stored.remove(_find_preset(state, request))
    return el("tptz:RemovePresetResponse")


def _continuous_move(state: CameraState, request: Request) -> Xml:
    find_shape(request)
    lasts = _SECONDS.match(request.values.get("Timeout", ""))
    seconds = float(lasts[1]) if lasts else None
    state.motor.drive(_vector(request, "Velocity"), state.true_now(), seconds)
    return el("tptz:ContinuousMoveResponse")


def _vector(request: Request, name: str) -> Vector:
    """Read a speed; what is left out does not move."""
    pan, tilt, zoom = (
        _number(request.values.get(f"{name}/{part}", "0"))
        for part in ("PanTilt@x", "PanTilt@y", "Zoom@x")
    )
    return (pan, tilt, zoom)


def _number(text: str) -> float:
    with contextlib.suppress(ValueError):
        value = float(text)
        if -1.0 <= value <= 1.0:
            return value
    reason = "The speed is out of bounds"
    raise SoapFault(subcodes=("ter:InvalidArgVal", "ter:InvalidVelocity"), reason=reason)


def _stop(state: CameraState, request: Request) -> Xml:
    find_shape(request)
    state.motor.halt(state.true_now())
    return el("tptz:StopResponse")


def _goto_home(state: CameraState, request: Request) -> Xml:
    find_shape(request)
    state.motor.jump(Place())
    return el("tptz:GotoHomePositionResponse")


def _status(state: CameraState, request: Request) -> Xml:
    find_shape(request)
    now = state.true_now()
    moves = "MOVING" if state.motor.is_moving(now) else "IDLE"
    return el(
        "tptz:GetStatusResponse",
        el(
            "tptz:PTZStatus",
            el("tt:Position", _position(state.motor.place(now))),
            el("tt:MoveStatus", el("tt:PanTilt", moves), el("tt:Zoom", moves)),
            el("tt:UtcTime", f"{state.now():%Y-%m-%dT%H:%M:%SZ}"),
        ),
    )


def _nodes(_state: CameraState, _request: Request) -> Xml:
    return el(
        "tptz:GetNodesResponse",
        el(
            "tptz:PTZNode",
            el("tt:Name", "PTZ"),
            el("tt:SupportedPTZSpaces"),
            el("tt:MaximumNumberOfPresets", str(MOST_PRESETS)),
            el("tt:HomeSupported", "true"),
            attributes={"token": "ptz_node_1"},
        ),
    )


def _configurations(_state: CameraState, _request: Request) -> Xml:
    return el(
        "tptz:GetConfigurationsResponse",
        el(
            "tptz:PTZConfiguration",
            el("tt:Name", "PTZ"),
            el("tt:UseCount", "2"),
            el("tt:NodeToken", "ptz_node_1"),
            attributes={"token": "ptz_config_1"},
        ),
    )


def _service_capabilities(_state: CameraState, _request: Request) -> Xml:
    return el("tptz:GetServiceCapabilitiesResponse", el("tptz:Capabilities"))


OPERATIONS: Mapping[str, Operation] = {
    "tptz:GetPresets": _presets,
    "tptz:GotoPreset": _goto_preset,
    "tptz:SetPreset": _set_preset,
    "tptz:RemovePreset": _remove_preset,
    "tptz:ContinuousMove": _continuous_move,
    "tptz:Stop": _stop,
    "tptz:GotoHomePosition": _goto_home,
    "tptz:GetStatus": _status,
    "tptz:GetNodes": _nodes,
    "tptz:GetConfigurations": _configurations,
    "tptz:GetServiceCapabilities": _service_capabilities,
}
