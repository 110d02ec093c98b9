"""What a connection to a switch, an ONU, an uplink or a recorder needs beyond its address."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class UplinkOptions(BaseModel):
    """Options of one such device: what it is.

    Its address is ``tcp://host:port``, a port that answers while the device works (SSH, its web
    page), or ``passive://label`` for one that has no address: its children speak for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    protocol: Literal["uplink"] = "uplink"
    kind: Literal["switch", "onu", "uplink", "nvr"] = "uplink"
