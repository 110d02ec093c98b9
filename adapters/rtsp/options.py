"""What an RTSP connection needs beyond its address and its credentials."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hub.domain.addresses import WEB_SCHEMES, parse_address
from hub.domain.errors import AddressRefused

RTSP_SCHEMES = frozenset({"rtsp", "rtsps"})


class RtspOptions(BaseModel):
    """Options of one camera; the connection's address is its main stream.

    Addresses hold no credentials: those belong to the connection, which encrypts them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    protocol: Literal["rtsp"] = "rtsp"
    sub_stream_address: str = ""
    snapshot_address: str = ""
    poll_interval_s: float = Field(default=21_600.0, ge=1.0, le=86_400.0)
    timeout_s: float = Field(default=10.0, ge=0.1, le=60.0)

    @field_validator("sub_stream_address")
    @classmethod
    def _check_stream(cls, value: str) -> str:
        return _normal_form(value, RTSP_SCHEMES)

    @field_validator("snapshot_address")
    @classmethod
    def _check_snapshot(cls, value: str) -> str:
        return _normal_form(value, WEB_SCHEMES)


def _normal_form(value: str, schemes: frozenset[str]) -> str:
    """Return the address as it is stored; raises ValueError, as pydantic wants it."""
    if not value:
        return ""
    try:
        address = parse_address(value, schemes=schemes)
    except AddressRefused as error:
        raise ValueError(str(error)) from None
    if address.username or address.password:
        msg = "leave the user name and the password out: they have fields of their own"
        raise ValueError(msg)
    return address.text
