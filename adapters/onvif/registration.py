"""What a camera says of itself, asked once when its connection opens.

Only identity must work: a camera without media, PTZ or a snapshot still registers, and so does
one that gives addresses we refuse. Each refusal is logged once per connection.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from xml.etree import ElementTree as ET

from adapters.onvif.answers import pick_list, pick_text
from adapters.onvif.client import NAMESPACES, OnvifClient
from adapters.onvif.documents import find_local, text_of
from adapters.onvif.probe_matches import scope_value
from adapters.onvif.profiles import (
    STREAM_ROLES,
    Profile,
    choose_streams,
    group_by_source,
    parse_profiles,
    tokens_of_channels,
)
from adapters.onvif.references import OwnHost, accept_reference
from hub.domain.addresses import STREAM_SCHEMES, WEB_SCHEMES, Address, AddressPolicy
from hub.domain.devices import Channel, DeviceDescription, DeviceKind, Json, Preset, Stream
from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    ProtocolViolation,
    UnsupportedByDevice,
)

log = logging.getLogger(__name__)

MAX_PRESETS = 300
_CAPABILITIES = {"media": "Media", "ptz": "PTZ", "events": "Events", "search": "Search"}
_SETUP = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
# A capability that answers so is missing or broken; the rest of the camera is not.
_OPTIONAL = (UnsupportedByDevice, ProtocolViolation)
# These some users may not ask for: their password is right, their rights are small.
_PRIVILEGED = (*_OPTIONAL, AuthRejected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A camera as it registered. ``ptz_tokens`` names per channel the profile PTZ goes by."""

    description: DeviceDescription
    services: dict[str, Address] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    ptz_tokens: dict[str, str] = field(default_factory=dict)


class References:
    """Accepts addresses from one camera, and logs each kind of refusal once."""

    def __init__(self, client: OnvifClient, policy: AddressPolicy, *, rewrite: bool) -> None:
        self._client = client
        self._policy = policy
        self._rewrite = rewrite
        self._logged: set[str] = set()

    def accept(self, text: str, *, what: str, schemes: Collection[str]) -> Address | None:
        """Return the address, or None when there is none or it is refused."""
        if not text.strip():
            return None
        own = OwnHost(
            configured=self._client.address, peers=self._client.peers, rewrite=self._rewrite
        )
        try:
            return accept_reference(text, own=own, policy=self._policy, schemes=schemes)
        except AddressRefused as error:
            if what not in self._logged:
                self._logged.add(what)
                log.warning("refused the %s of %s: %s", what, self._client.address.host, error)
            return None


async def register(client: OnvifClient, references: References) -> Registered:
    """Ask a camera for all it is; raises DeviceError when its identity cannot be had."""
    offset = await client.measure_clock()
    identity = await client.call("devicemgmt", "GetDeviceInformation")
    services = await read_services(client, references)
    profiles = await _read_profiles(client, services)
    groups = group_by_source(profiles)
    channels, ptz_tokens = [], {}
    for source, group in groups.items():
        ptz = next((profile.token for profile in group if profile.has_ptz), "")
        presets = await _read_presets(client, services, ptz)
        if presets:
            ptz_tokens[source] = ptz
        channels.append(
            Channel(
                key=source,
                name=group[0].source_name if len(groups) > 1 else "",
                streams=await _read_streams(client, references, services["media"], group),
                snapshot_address=await _read_snapshot(
                    client, references, services["media"], group[0]
                ),
                presets=presets,
            )
        )
    scopes = await _read_scopes(client)
    return Registered(
        description=replace(
            _describe(identity, scopes),
            kind=DeviceKind.NVR if len(channels) > 1 else DeviceKind.CAMERA,
            address=client.address.text,
            clock_offset_s=None if offset is None else round(offset.total_seconds(), 3),
            channels=tuple(channels),
            capabilities={"services": sorted(services)},
        ),
        services=services,
        tokens=tokens_of_channels(profiles),
        ptz_tokens=ptz_tokens,
    )


def _describe(identity: Json, scopes: list[str]) -> DeviceDescription:
    """Return the name plate; the scopes hold the name and the place somebody gave the camera."""
    manufacturer = pick_text(identity, "Manufacturer")
    model = pick_text(identity, "Model")
    place = scope_value(scopes, "location")
    return DeviceDescription(
        name=scope_value(scopes, "name") or f"{manufacturer} {model}".strip(),
        manufacturer=manufacturer,
        model=model,
        firmware=pick_text(identity, "FirmwareVersion"),
        serial=pick_text(identity, "SerialNumber"),
        hardware_id=pick_text(identity, "HardwareId"),
        # "country/china" is what many cameras say when nobody gave them a place.
        area_hint="" if place.lower().startswith("country") else place,
    )


async def _read_scopes(client: OnvifClient) -> list[str]:
    try:
        answer = await client.call("devicemgmt", "GetScopes")
    except _PRIVILEGED:
        return []
    return [pick_text(item, "ScopeItem") for item in pick_list(answer)]


async def read_services(
    client: OnvifClient, references: References, wanted: Collection[str] = tuple(NAMESPACES)
) -> dict[str, Address]:
    """Return the wanted services, by name; GetServices, else the older GetCapabilities."""
    found: dict[str, str] = {}
    try:
        answer = await client.call("devicemgmt", "GetServices", IncludeCapability=False)
        by_namespace = {
            pick_text(item, "Namespace"): pick_text(item, "XAddr") for item in pick_list(answer)
        }
        found = {name: by_namespace.get(space, "") for name, space in NAMESPACES.items()}
    except _OPTIONAL:
        log.debug("%s has no GetServices", client.address.host)
    if not any(found.values()):
        try:
            root = await client.call_tree("devicemgmt", "GetCapabilities", Category="All")
        except _OPTIONAL:
            return {}
        found = {name: _address_in(root, element) for name, element in _CAPABILITIES.items()}
    services = {}
    for name in wanted:
        text = found[name]
        address = references.accept(text, what=f"{name} service address", schemes=WEB_SCHEMES)
        if address is not None:
            services[name] = address
    return services


def _address_in(root: ET.Element, name: str) -> str:
    """Return the address in a capability; read without the WSDL, whose extensions hide some."""
    capability = find_local(root, name)
    return "" if capability is None else text_of(find_local(capability, "XAddr"))


async def _read_profiles(client: OnvifClient, services: dict[str, Address]) -> tuple[Profile, ...]:
    if "media" not in services:
        return ()
    try:
        return parse_profiles(await client.call("media", "GetProfiles", at=services["media"]))
    except _OPTIONAL as error:
        log.warning("%s has no usable media profiles: %s", client.address.host, error)
        return ()


async def _read_streams(
    client: OnvifClient, references: References, media: Address, group: tuple[Profile, ...]
) -> tuple[Stream, ...]:
    streams = []
    for role, profile in zip(STREAM_ROLES, choose_streams(group), strict=False):
        try:
            answer = await client.call(
                "media", "GetStreamUri", at=media, StreamSetup=_SETUP, ProfileToken=profile.token
            )
        except _OPTIONAL:
            continue
        address = references.accept(
            pick_text(answer, "Uri"), what="stream address", schemes=STREAM_SCHEMES
        )
        if address is not None:
            streams.append(
                Stream(
                    role=role,
                    address=address.text,
                    codec=profile.codec,
                    width=profile.width,
                    height=profile.height,
                    frame_rate=profile.frame_rate,
                )
            )
    return tuple(streams)


async def _read_snapshot(
    client: OnvifClient, references: References, media: Address, profile: Profile
) -> str:
    try:
        answer = await client.call("media", "GetSnapshotUri", at=media, ProfileToken=profile.token)
    except _PRIVILEGED:
        return ""
    address = references.accept(
        pick_text(answer, "Uri"), what="snapshot address", schemes=WEB_SCHEMES
    )
    return address.text if address else ""


async def _read_presets(
    client: OnvifClient, services: dict[str, Address], token: str
) -> tuple[Preset, ...]:
    if "ptz" not in services or not token:
        return ()
    try:
        answer = await client.call("ptz", "GetPresets", at=services["ptz"], ProfileToken=token)
    except _PRIVILEGED:
        return ()
    presets = [
        Preset(token=pick_text(item, "token"), name=pick_text(item, "Name"))
        for item in pick_list(answer)[:MAX_PRESETS]
    ]
    return tuple(preset for preset in presets if preset.token)
