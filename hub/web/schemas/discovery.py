"""Looks for devices, and what becomes of those who answered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field, SecretStr

from hub.domain.discovery import (
    MOST_CREDENTIALS,
    MOST_PORTS,
    MOST_RANGES,
    ONVIF_PORTS,
    RTSP_PORTS,
    Login,
)
from hub.web.schemas.shapes import In, Listing, Name, Number, Out

MOST_ADDED = 500

_Plain = r"^[^\x00-\x1f\x7f]*$"
Port = Annotated[int, Field(ge=1, le=65_535)]
Ports = Annotated[Sequence[Port], Field(max_length=MOST_PORTS)]
Username = Annotated[str, Field(max_length=128, pattern=_Plain)]
Password = Annotated[SecretStr, Field(max_length=256)]
Label = Annotated[str, Field(max_length=64, pattern=_Plain)]


class CredentialIn(In):
    """A login to try. It never comes out again."""

    username: Annotated[str, Field(min_length=1, max_length=128, pattern=_Plain)]
    password: Password = SecretStr("")


class DiscoveryIn(In):
    """Where to look, on behalf of which area, and with what."""

    area_id: Number
    ranges: Annotated[
        Sequence[Annotated[str, Field(max_length=50)]], Field(max_length=MOST_RANGES)
    ] = ()
    multicast: bool = False
    onvif_ports: Ports = ONVIF_PORTS
    rtsp_ports: Ports = RTSP_PORTS
    credentials: Annotated[Sequence[CredentialIn], Field(max_length=MOST_CREDENTIALS)] = ()


class DiscoveryNewsOut(Out):
    """How far a look is; where it looks is for those who may look."""

    id: int
    area_id: int
    state: str
    hosts: int
    asked: int
    found: int


class DiscoveryOut(DiscoveryNewsOut):
    """A look: ``asked`` of ``hosts`` are done, ``found`` answered.

    ``state``: waiting, running, done, cancelled, failed, broken_off.
    """

    area_name: str
    ranges: Sequence[str]
    multicast: bool = Field(validation_alias="is_multicast")
    onvif_ports: Sequence[int]
    rtsp_ports: Sequence[int]
    author: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    detail: str


class FindOut(Out):
    """Who answered. All texts are the device's own.

    ``login`` says what came of the credentials, ``credential`` which of them fits. ``known``: it
    is registered already, as ``device_id`` where the caller may see that.
    """

    id: int
    host: str
    port: int
    protocol: str
    address: str
    name: str
    manufacturer: str
    model: str
    serial: str
    firmware: str
    login: Login
    credential: int | None
    trouble: str
    known: bool = Field(validation_alias="is_known")
    device_id: int | None
    device_name: str


class FindListing(Listing[FindOut]):
    """A page of those who answered."""


class NetworkOut(Out):
    """A network in which devices may be."""

    network: str


class GroundOut(Out):
    """Where looks are allowed, and what is asked unless something else is said."""

    networks: Sequence[NetworkOut]
    most_hosts: int
    onvif_ports: Sequence[int]
    rtsp_ports: Sequence[int]


class ChosenIn(In):
    """A find that becomes a device. ``target`` is the path of its stream, where that is asked."""

    find_id: Number
    name: Name
    area_id: Number | None = None
    target: Annotated[str, Field(max_length=512, pattern=r"^(/[!-~]*)?$")] = ""


class AddFindsIn(In):
    """Finds that become devices, with what they have in common.

    Without ``username`` each gets the credentials that fitted when it was asked.
    """

    area_id: Number
    finds: Annotated[Sequence[ChosenIn], Field(min_length=1, max_length=MOST_ADDED)]
    username: Username = ""
    password: Password = SecretStr("")
    device_class: Label = ""
    team: Annotated[str, Field(max_length=128, pattern=_Plain)] = ""
    tags: Annotated[Sequence[str], Field(max_length=20)] = ()
    parent_id: Number | None = None


class AddedOut(Out):
    """What became of one find: a device, or the reason why not."""

    find_id: int
    device_id: int | None
    connection_id: int | None
    problem: str


class AddedListing(Out):
    """What became of each, in the order asked."""

    items: Sequence[AddedOut]


class TryIn(In):
    """An address to try before it is saved, and the area for which."""

    area_id: Number
    protocol: Annotated[str, Field(pattern=r"^(onvif|rtsp)$")]
    address: Annotated[str, Field(max_length=2048)]
    username: Username = ""
    password: Password = SecretStr("")


class TriedOut(Out):
    """What answered there, or why nothing did. ``failure`` names the kind of trouble."""

    ok: bool
    failure: str = ""
    detail: str = ""
    address: str = ""
    name: str = ""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    stream: str = ""
    login: Login | None = None


class PendingPointOut(Out):
    """What a waiting device reports."""

    key: str
    unit: str
    quantity: str
    at: datetime | None
    value: float | None


class PendingOut(Out):
    """A device that reported by itself and waits for approval."""

    id: int
    key: str
    name: str
    kind: str
    area_id: int
    area_name: str
    manufacturer: str
    model: str
    created_at: datetime | None
    connection_name: str
    points: Sequence[PendingPointOut]


class PendingListing(Listing[PendingOut]):
    """A page of waiting devices; ``total`` is how many wait."""

    total: int
