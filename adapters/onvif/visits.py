"""A short session of its own with one camera, for work that holds no connection open."""

from collections.abc import Mapping

from pydantic import ValidationError

from adapters.onvif.client import OnvifClient
from adapters.onvif.options import OnvifOptions
from hub.domain.addresses import AddressPolicy
from hub.domain.devices import Connection, Json
from hub.domain.errors import UnsupportedByDevice
from hub.domain.ports import CameraTarget, Clock

CALL_DEADLINE_S = 10.0
MIN_DEADLINE_S = 0.2


def build_client(
    target: CameraTarget, *, options: OnvifOptions, policy: AddressPolicy, clock: Clock
) -> OnvifClient:
    """Return the client of a camera; whoever enters it opens the session."""
    connection = Connection(
        id=target.device_id,
        protocol="onvif",
        name="",
        address=target.service_address,
        area_id=0,
        credentials=target.credentials,
    )
    return OnvifClient(connection=connection, options=options, policy=policy, clock=clock)


def read_options(raw: Mapping[str, Json], timeout_s: float) -> OnvifOptions:
    """Return the connection's options with deadlines that fit into the visit's.

    Raises:
        UnsupportedByDevice: they are not those of an ONVIF connection.
    """
    deadline_s = max(MIN_DEADLINE_S, min(timeout_s, CALL_DEADLINE_S))
    try:
        given = OnvifOptions.model_validate({**raw, "protocol": "onvif"})
    except ValidationError:
        msg = "the options of this connection do not fit its protocol: edit the connection"
        raise UnsupportedByDevice(msg) from None
    return given.model_copy(update={"call_deadline_s": min(given.call_deadline_s, deadline_s)})
