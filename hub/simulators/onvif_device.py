"""The ONVIF device service of a simulated camera (ver10)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import quote

from hub.simulators.camera_state import MANUFACTURER, MODEL, CameraState
from hub.simulators.soap import NAMESPACES, Request, Xml, el

Operation = Callable[[CameraState, Request], Xml]

_SERVICES = {
    "tds": ("device_service", "2", "60"),
    "trt": ("media_service", "2", "60"),
    "tptz": ("ptz_service", "2", "40"),
    "tev": ("event_service", "2", "60"),
    "tse": ("search_service", "2", "42"),
}


def scopes(state: CameraState) -> tuple[str, ...]:
    """What the camera says of itself in discovery and in GetScopes."""
    base = "onvif://www.onvif.org"
    area = (f"{base}/location/{quote(state.options.area, safe='')}",) if state.options.area else ()
    return (
        f"{base}/type/Network_Video_Transmitter",
        f"{base}/type/ptz",
        f"{base}/Profile/Streaming",
        *(() if state.card is None else (f"{base}/Profile/G",)),
        f"{base}/hardware/{MODEL}",
        f"{base}/name/{quote(state.options.name, safe='')}",
        *area,
    )


def _device_information(state: CameraState, _request: Request) -> Xml:
    return el(
        "tds:GetDeviceInformationResponse",
        el("tds:Manufacturer", MANUFACTURER),
        el("tds:Model", MODEL),
        el("tds:FirmwareVersion", state.firmware),
        el("tds:SerialNumber", state.options.serial),
        el("tds:HardwareId", state.options.mac.replace(":", "")),
    )


def _date_and_time(state: CameraState, _request: Request) -> Xml:
    now = state.now()
    return el(
        "tds:GetSystemDateAndTimeResponse",
        el(
            "tds:SystemDateAndTime",
            el("tt:DateTimeType", "NTP"),
            el("tt:DaylightSavings", "false"),
            el("tt:TimeZone", el("tt:TZ", "CST-8")),
            _date_time("tt:UTCDateTime", now),
        ),
    )


def _date_time(name: str, at: datetime) -> Xml:
    return el(
        name,
        el(
            "tt:Time",
            el("tt:Hour", str(at.hour)),
            el("tt:Minute", str(at.minute)),
            el("tt:Second", str(at.second)),
        ),
        el(
            "tt:Date",
            el("tt:Year", str(at.year)),
            el("tt:Month", str(at.month)),
            el("tt:Day", str(at.day)),
        ),
    )


def _services(state: CameraState, _request: Request) -> Xml:
    return el(
        "tds:GetServicesResponse",
        *(
            el(
                "tds:Service",
                el("tds:Namespace", NAMESPACES[prefix]),
                el("tds:XAddr", state.service_address(path)),
                el("tds:Version", el("tt:Major", major), el("tt:Minor", minor)),
            )
            for prefix, (path, major, minor) in _SERVICES.items()
            if prefix != "tse" or state.card is not None
        ),
    )


def _capabilities(state: CameraState, _request: Request) -> Xml:
    search = el("tt:Search", el("tt:XAddr", state.service_address("search_service")))
    return el(
        "tds:GetCapabilitiesResponse",
        el(
            "tds:Capabilities",
            el("tt:Device", el("tt:XAddr", state.service_address())),
            el(
                "tt:Events",
                el("tt:XAddr", state.service_address("event_service")),
                el("tt:WSSubscriptionPolicySupport", "false"),
                el("tt:WSPullPointSupport", "true"),
                el("tt:WSPausableSubscriptionManagerInterfaceSupport", "false"),
            ),
            el(
                "tt:Media",
                el("tt:XAddr", state.service_address("media_service")),
                el(
                    "tt:StreamingCapabilities",
                    el("tt:RTPMulticast", "false"),
                    el("tt:RTP_TCP", "true"),
                    el("tt:RTP_RTSP_TCP", "true"),
                ),
            ),
            el("tt:PTZ", el("tt:XAddr", state.service_address("ptz_service"))),
            *(() if state.card is None else (el("tt:Extension", search),)),
        ),
    )


def _service_capabilities(_state: CameraState, _request: Request) -> Xml:
    return el(
        "tds:GetServiceCapabilitiesResponse",
        el(
            "tds:Capabilities",
            el("tds:Network"),
            el("tds:Security", attributes={"UsernameToken": "true", "HttpDigest": "true"}),
            el("tds:System", attributes={"DiscoveryResolve": "false"}),
        ),
    )


def _scopes(state: CameraState, _request: Request) -> Xml:
    return el(
        "tds:GetScopesResponse",
        *(
            el("tds:Scopes", el("tt:ScopeDef", "Fixed"), el("tt:ScopeItem", item))
            for item in scopes(state)
        ),
    )


def _hostname(state: CameraState, _request: Request) -> Xml:
    name = f"sim-{state.options.serial.lower()}"
    return el(
        "tds:GetHostnameResponse",
        el("tds:HostnameInformation", el("tt:FromDHCP", "false"), el("tt:Name", name)),
    )


def _network_interfaces(state: CameraState, _request: Request) -> Xml:
    return el(
        "tds:GetNetworkInterfacesResponse",
        el(
            "tds:NetworkInterfaces",
            el("tt:Enabled", "true"),
            el("tt:Info", el("tt:Name", "eth0"), el("tt:HwAddress", state.options.mac)),
            el(
                "tt:IPv4",
                el("tt:Enabled", "true"),
                el(
                    "tt:Config",
                    el(
                        "tt:Manual",
                        el("tt:Address", state.options.host),
                        el("tt:PrefixLength", "8"),
                    ),
                    el("tt:DHCP", "false"),
                ),
            ),
            attributes={"token": "eth0"},
        ),
    )


OPERATIONS: Mapping[str, Operation] = {
    "tds:GetDeviceInformation": _device_information,
    "tds:GetSystemDateAndTime": _date_and_time,
    "tds:GetServices": _services,
    "tds:GetCapabilities": _capabilities,
    "tds:GetServiceCapabilities": _service_capabilities,
    "tds:GetScopes": _scopes,
    "tds:GetHostname": _hostname,
    "tds:GetNetworkInterfaces": _network_interfaces,
}
