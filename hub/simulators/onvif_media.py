"""The ONVIF media service of a simulated camera (ver10): two profiles, streams, snapshots."""

from collections.abc import Mapping

from hub.simulators.camera_state import STREAM_SHAPES, CameraState, StreamShape
from hub.simulators.clip import FRAME_RATE
from hub.simulators.onvif_device import Operation
from hub.simulators.soap import Request, SoapFault, Xml, el

_SOURCE = STREAM_SHAPES[0]


def find_shape(request: Request) -> StreamShape:
    """Find the profile a request names.

    Raises:
        SoapFault: no profile has this token.
    """
    token = request.values.get("ProfileToken", "")
    for shape in STREAM_SHAPES:
        if shape.token == token:
            return shape
    reason = "Profile token does not exist"
    raise SoapFault(
        subcodes=(
            "ter:InvalidArgVal",
            "ter:NoProfile",
        ),
        reason=reason,
    )


def _profile(shape: StreamShape, name: str) -> Xml:
    return el(
        name,
        el("tt:Name", f"{shape.role}Stream"),
        el(
            "tt:VideoSourceConfiguration",
            el("tt:Name", "VideoSource"),
            el("tt:UseCount", "2"),
            el("tt:SourceToken", "video_source_1"),
            el(
                "tt:Bounds",
                attributes={
                    "x": "0",
                    "y": "0",
                    "width": str(_SOURCE.width),
                    "height": str(_SOURCE.height),
                },
            ),
            attributes={"token": "video_source_config"},
        ),
        _encoder("tt:VideoEncoderConfiguration", shape),
        _ptz_configuration("tt:PTZConfiguration"),
        attributes={"token": shape.token, "fixed": "true"},
    )


def _encoder(name: str, shape: StreamShape) -> Xml:
    return el(
        name,
        el("tt:Name", f"{shape.role}Encoder"),
        el("tt:UseCount", "1"),
        el("tt:Encoding", "H264"),
        el(
            "tt:Resolution",
            el("tt:Width", str(shape.width)),
            el("tt:Height", str(shape.height)),
        ),
        el("tt:Quality", "4"),
        el(
            "tt:RateControl",
            el("tt:FrameRateLimit", str(FRAME_RATE)),
            el("tt:EncodingInterval", "1"),
            el("tt:BitrateLimit", "512"),
        ),
        el("tt:H264", el("tt:GovLength", str(FRAME_RATE)), el("tt:H264Profile", "Baseline")),
        el(
            "tt:Multicast",
            el("tt:Address", el("tt:Type", "IPv4"), el("tt:IPv4Address", "0.0.0.0")),  # noqa: S104 - says "no multicast"
            el("tt:Port", "0"),
            el("tt:TTL", "0"),
            el("tt:AutoStart", "false"),
        ),
        el("tt:SessionTimeout", "PT60S"),
        attributes={"token": f"encoder_{shape.role}"},
    )


def _ptz_configuration(name: str) -> Xml:
    return el(
        name,
        el("tt:Name", "PTZ"),
        el("tt:UseCount", "2"),
        el("tt:NodeToken", "ptz_node_1"),
        attributes={"token": "ptz_config_1"},
    )


def _profiles(_state: CameraState, _request: Request) -> Xml:
    return el(
        "trt:GetProfilesResponse", *(_profile(shape, "trt:Profiles") for shape in STREAM_SHAPES)
    )


def _one_profile(_state: CameraState, request: Request) -> Xml:
    return el("trt:GetProfileResponse", _profile(find_shape(request), "trt:Profile"))


def _video_sources(_state: CameraState, _request: Request) -> Xml:
    return el(
        "trt:GetVideoSourcesResponse",
        el(
            "trt:VideoSources",
            el("tt:Framerate", str(FRAME_RATE)),
            el(
                "tt:Resolution",
                el("tt:Width", str(_SOURCE.width)),
                el("tt:Height", str(_SOURCE.height)),
            ),
            attributes={"token": "video_source_1"},
        ),
    )


def _encoders(_state: CameraState, _request: Request) -> Xml:
    return el(
        "trt:GetVideoEncoderConfigurationsResponse",
        *(_encoder("trt:Configurations", shape) for shape in STREAM_SHAPES),
    )


def _media_uri(name: str, address: str) -> Xml:
    return el(
        name,
        el(
            "trt:MediaUri",
            el("tt:Uri", address),
            el("tt:InvalidAfterConnect", "false"),
            el("tt:InvalidAfterReboot", "false"),
            el("tt:Timeout", "PT0S"),
        ),
    )


def _stream_uri(state: CameraState, request: Request) -> Xml:
    role = find_shape(request).role
    return _media_uri("trt:GetStreamUriResponse", state.stream_address(role))


def _snapshot_uri(state: CameraState, request: Request) -> Xml:
    role = find_shape(request).role
    return _media_uri("trt:GetSnapshotUriResponse", state.snapshot_address(role))


def _service_capabilities(_state: CameraState, _request: Request) -> Xml:
    return el(
        "trt:GetServiceCapabilitiesResponse",
        el(
            "trt:Capabilities",
            el("trt:ProfileCapabilities", attributes={"MaximumNumberOfProfiles": "2"}),
            el("trt:StreamingCapabilities", attributes={"RTP_RTSP_TCP": "true"}),
            attributes={"SnapshotUri": "true"},
        ),
    )


OPERATIONS: Mapping[str, Operation] = {
    "trt:GetProfiles": _profiles,
    "trt:GetProfile": _one_profile,
    "trt:GetVideoSources": _video_sources,
    "trt:GetVideoEncoderConfigurations": _encoders,
    "trt:GetStreamUri": _stream_uri,
    "trt:GetSnapshotUri": _snapshot_uri,
    "trt:GetServiceCapabilities": _service_capabilities,
}
