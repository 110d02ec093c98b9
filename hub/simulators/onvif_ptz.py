"""The ONVIF PTZ service of a simulated camera (ver20): presets, each with its own picture."""

from collections.abc import Mapping

from hub.simulators.camera_state import PRESET_NAMES, CameraState
from hub.simulators.onvif_device import Operation
from hub.simulators.onvif_media import find_shape
from hub.simulators.soap import Request, SoapFault, Xml, el


def _position(index: int) -> Xml:
    pan = f"{-0.75 + 0.5 * index:.2f}"
    return Xml(
        el("tt:PanTilt", attributes={"x": pan, "y": "0.00"})
        + el("tt:Zoom", attributes={"x": "0.00"})
    )


def _presets(_state: CameraState, request: Request) -> Xml:
    find_shape(request)
    return el(
        "tptz:GetPresetsResponse",
        *(
            el(
                "tptz:Preset",
                el("tt:Name", name),
                el("tt:PTZPosition", _position(index)),
                attributes={"token": str(index + 1)},
            )
            for index, name in enumerate(PRESET_NAMES)
        ),
    )


def _goto_preset(state: CameraState, request: Request) -> Xml:
    find_shape(request)
    token = request.values.get("PresetToken", "")
    tokens = [str(index + 1) for index in range(len(PRESET_NAMES))]
    if token not in tokens:
        reason = "Preset does not exist"
        raise SoapFault(
            subcodes=(
                "ter:InvalidArgVal",
                "ter:NoToken",
            ),
            reason=reason,
        )
    state.move_to(tokens.index(token))
    return el("tptz:GotoPresetResponse")


def _status(state: CameraState, request: Request) -> Xml:
    find_shape(request)
    return el(
        "tptz:GetStatusResponse",
        el(
            "tptz:PTZStatus",
            el("tt:Position", _position(state.preset)),
            el("tt:MoveStatus", el("tt:PanTilt", "IDLE"), el("tt:Zoom", "IDLE")),
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
            el("tt:MaximumNumberOfPresets", str(len(PRESET_NAMES))),
            el("tt:HomeSupported", "false"),
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
    "tptz:GetStatus": _status,
    "tptz:GetNodes": _nodes,
    "tptz:GetConfigurations": _configurations,
    "tptz:GetServiceCapabilities": _service_capabilities,
}
