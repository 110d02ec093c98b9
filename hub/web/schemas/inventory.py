"""What an import did, and the asset record of a device."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import Field

from hub.domain.assets import Direction, Light, PositionType, PtzType, Purpose, Room
from hub.web.schemas.shapes import In, Out

_Line = r"^[^\x00-\x1f\x7f]*$"
_Lines = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"


class BadLineOut(Out):
    """Why a row of a file was not taken: the line, the heading of the column, the reason."""

    line: int
    column: str
    reason: str


class ImportOut(Out):
    """What an import did, or would do; one row may have several faults."""

    rows: int
    new: int
    changed: int
    unchanged: int
    refused_rows: int
    refused: Sequence[BadLineOut]
    encoding: str
    dry_run: bool = Field(validation_alias="is_dry_run")


class ImportHeadingOut(Out):
    """A column of a file; ``name`` is ours for it, empty when it is not known."""

    text: str
    name: str


class ImportColumnOut(Out):
    """A column that an import understands; ``shown`` ones are read past."""

    name: str
    chinese: str
    shown: bool = Field(validation_alias="is_shown")


class ImportRowOut(Out):
    """A row of a file and the line it begins on."""

    line: int
    cells: Sequence[str]


class ImportPreviewOut(Out):
    """A file as it stands; ``total`` counts all rows, of which the first are here."""

    headings: Sequence[ImportHeadingOut]
    rows: Sequence[ImportRowOut]
    total: int
    encoding: str
    known: Sequence[ImportColumnOut]


class AssetRecordOut(Out):
    """The asset record of a device (一机一档); null and empty are not recorded."""

    mac: str
    port: int | None
    longitude: float | None
    latitude: float | None
    ptz_type: PtzType | None
    position_type: PositionType | None
    room: Room | None
    purpose: Purpose | None
    light: Light | None
    direction: Direction | None
    resolution: str
    mount_height_m: float | None
    installed_on: date | None
    warranty_until: date | None
    owner: str
    notes: str


class AssetRecordIn(In):
    """A whole record: what is left out is not recorded. Coordinates come together or not at all."""

    mac: Annotated[str, Field(pattern=r"^([0-9a-f]{2}(:[0-9a-f]{2}){5})?$")] = ""
    port: Annotated[int | None, Field(ge=1, le=65_535)] = None
    longitude: Annotated[float | None, Field(ge=-180, le=180)] = None
    latitude: Annotated[float | None, Field(ge=-90, le=90)] = None
    ptz_type: PtzType | None = None
    position_type: PositionType | None = None
    room: Room | None = None
    purpose: Purpose | None = None
    light: Light | None = None
    direction: Direction | None = None
    resolution: Annotated[str, Field(max_length=64, pattern=_Line)] = ""
    mount_height_m: Annotated[float | None, Field(ge=0, le=1000)] = None
    installed_on: date | None = None
    warranty_until: date | None = None
    owner: Annotated[str, Field(max_length=128, pattern=_Line)] = ""
    notes: Annotated[str, Field(max_length=1000, pattern=_Lines)] = ""
