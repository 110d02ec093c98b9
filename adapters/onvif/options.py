"""The options of one ONVIF connection, as the console and import files give them.

Address and credentials are no options: they are in ``hub.domain.devices.Connection``.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Fingerprint = Annotated[
    str, StringConstraints(pattern=r"^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$", strip_whitespace=True)
]


PresetToken = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class OnvifOptions(BaseModel):
    """How to talk to one camera.

    Attributes:
        protocol: Selects this adapter.
        events: Subscribe to the camera's events. Off for cameras that hang when asked to.
        pull_timeout_s: How long the camera may hold one request for events open.
        subscription_s: The life asked for a subscription; it is renewed at 80 %.
        call_deadline_s: The time one call may take, connecting and reading included.
        poll_interval_s: How often a camera without events is asked whether it is there.
        verify: ``ca`` verifies the TLS certificate against ``ca_file`` (default: the system's
            authorities), ``pinned`` accepts the one certificate with ``fingerprint``, ``off``
            accepts any and wants a ``reason``.
        ca_file: PEM file of the site's certificate authority.
        fingerprint: SHA-256 of the camera's certificate, 64 hexadecimal digits.
        reason: Why the certificate is not verified, for whoever asks later.
        rewrite_host: The camera is behind address translation: replace the host in every
            address it gives by the host of the connection.
        ptz_check: Allows the hub to see whether the camera obeys: the token of the preset it
            rests at, and of another one to send it to. Both must be views, for on many domes
            high numbers are commands (Hikvision's 94 restarts the camera).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    protocol: Literal["onvif"] = "onvif"
    events: bool = True
    pull_timeout_s: float = Field(default=10.0, ge=1.0, le=60.0)
    subscription_s: float = Field(default=120.0, ge=10.0, le=3600.0)
    call_deadline_s: float = Field(default=10.0, ge=0.2, le=120.0)
    poll_interval_s: float = Field(default=30.0, ge=0.2, le=3600.0)
    verify: Literal["ca", "pinned", "off"] = "ca"
    ca_file: Path | None = None
    fingerprint: Fingerprint | None = None
    reason: str = Field(default="", max_length=200)
    rewrite_host: bool = False
    ptz_check: tuple[PresetToken, PresetToken] | None = None

    @model_validator(mode="after")
    def _check_verify(self) -> Self:
        """Refuse settings that contradict the kind of verification chosen."""
        if self.verify == "pinned" and self.fingerprint is None:
            msg = "verify = pinned needs fingerprint, the SHA-256 of the camera's certificate"
            raise ValueError(msg)
        if self.verify == "off" and not self.reason.strip():
            msg = "verify = off needs a reason"
            raise ValueError(msg)
        if self.verify != "pinned" and self.fingerprint is not None:
            msg = "fingerprint is used with verify = pinned only"
            raise ValueError(msg)
        if self.verify != "ca" and self.ca_file is not None:
            msg = "ca_file is used with verify = ca only"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _check_presets(self) -> Self:
        """Refuse a check that would not move the camera."""
        if self.ptz_check is not None and self.ptz_check[0] == self.ptz_check[1]:
            msg = "ptz_check needs two different presets"
            raise ValueError(msg)
        return self
