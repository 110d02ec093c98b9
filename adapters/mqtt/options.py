"""The options of an MQTT connection: what an operator may set beside address and credentials.

The address is ``mqtt://host[:port]`` or ``mqtts://host[:port]`` in ``Connection.address``; user
name and password are in ``Connection.credentials``. Text and numbers only: files are opened by
``adapters.mqtt.tls``.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

KIB = 1024
MIB = 1024 * KIB


class TlsOptions(BaseModel):
    """How the broker proves who it is, and how we do.

    Without ``ca_file`` the machine's own authorities count. ``pinned_sha256`` replaces authority
    and host name: only the certificate with this fingerprint (of its DER form) is accepted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    pinned_sha256: str | None = Field(
        default=None, pattern=r"^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$"
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.key_file is not None and self.cert_file is None:
            msg = "key_file needs cert_file: the certificate that belongs to the key"
            raise ValueError(msg)
        if self.pinned_sha256 is not None and self.ca_file is not None:
            msg = "give ca_file or pinned_sha256, not both"
            raise ValueError(msg)
        return self


class MqttOptions(BaseModel):
    """One connection to a broker.

    ``client_id`` names the persistent session; empty means ``gengfu-<connection id>``. The broker
    keeps what comes while the hub is away for ``session_expiry_s`` (MQTT 5; with 3.1.1 the
    broker's own setting counts).

    ``receive_maximum`` is how many messages may wait for their commit at once: at least twice
    what the hub commits in one batch, and the broker's own in-flight limit not below it.

    A payload beyond ``max_payload_bytes`` is stored as unrecognised. Packets beyond
    ``max_packet_bytes`` the broker does not even send us (MQTT 5; with 3.1.1 only the broker's own
    limit on message size keeps them away).

    ``shared_group`` spreads readings and events over all hub processes of the same name
    (``$share/<group>/…``; MQTT 5 only, empty switches it off).

    ``silence_factor`` times a device's expected interval without any message makes it offline;
    0 switches the judgement off. ``default_interval_s`` is expected of devices that state none;
    unset, silence says nothing about them. With several processes in one shared group each sees
    only a part of the messages: set ``silence_factor`` to 0 there.

    ``approve_unknown`` registers devices that report by themselves at once, without anybody's
    approval: for a broker that only known devices can log in to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    protocol: Literal["mqtt"] = "mqtt"
    version: Literal["5", "3.1.1"] = "5"
    client_id: str = Field(default="", max_length=128, pattern=r"^[A-Za-z0-9_.\-]*$")
    keep_alive_s: int = Field(default=60, ge=1, le=3600)
    connect_timeout_s: float = Field(default=5.0, gt=0, le=60)
    session_expiry_s: int = Field(default=7 * 86_400, ge=60, le=0xFFFF_FFFE)
    receive_maximum: int = Field(default=10_000, ge=1, le=65_535)
    shared_group: str = Field(default="gengfu", max_length=64, pattern=r"^[A-Za-z0-9_.\-]*$")
    max_payload_bytes: int = Field(default=256 * KIB, ge=KIB, le=16 * MIB)
    max_packet_bytes: int = Field(default=16 * MIB, ge=64 * KIB, le=256 * MIB - 1)
    tls: TlsOptions = TlsOptions()
    silence_factor: float = Field(default=3.0, ge=0, le=1000)
    default_interval_s: float | None = Field(default=None, gt=0, le=31 * 86_400)
    future_tolerance_s: float = Field(default=600.0, ge=0, le=86_400)
    approve_unknown: bool = False
    command_timeout_s: float = Field(default=10.0, gt=0, le=300)

    @property
    def is_five(self) -> bool:
        """Whether MQTT 5 is spoken, else 3.1.1."""
        return self.version == "5"

    @property
    def is_shared(self) -> bool:
        """Whether readings and events come by a shared subscription."""
        return self.is_five and bool(self.shared_group)
