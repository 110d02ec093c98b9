"""One line of a connection's options to one adapter: where a protocol joins the product."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import assert_never

from pydantic import ValidationError

from adapters.mqtt.adapter import MqttAdapter
from adapters.mqtt.options import MqttOptions
from adapters.onvif.adapter import OnvifAdapter
from adapters.onvif.options import OnvifOptions
from adapters.rtsp.adapter import RtspAdapter
from adapters.rtsp.options import RtspOptions
from adapters.uplink.adapter import UplinkAdapter
from adapters.uplink.options import UplinkOptions
from config.schema import CONNECTION_OPTIONS
from hub.domain.addresses import AddressPolicy
from hub.domain.devices import Connection, Json, Registration
from hub.domain.errors import Invalid, UnsupportedByDevice
from hub.domain.ports import Adapter, Clock, DescribeStream

Options = OnvifOptions | MqttOptions | RtspOptions | UplinkOptions


def parse_connection(raw: Mapping[str, Json]) -> Mapping[str, Json]:
    """Validate ``protocol`` and its options; return the options as they are stored.

    Raises:
        Invalid: names the first option that is wrong, and repeats no value.
    """
    try:
        options = CONNECTION_OPTIONS.validate_python(dict(raw))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        # The union puts the protocol's name in front of the option's.
        place = ".".join(str(part) for part in first["loc"][1:]) or "protocol"
        known = first.get("ctx", {}).get("expected_tags")
        said = f"unknown, use one of {known}" if known else first["msg"]
        msg = f"{place}: {said}"
        raise Invalid(msg, field=f"options.{place}") from None
    return options.model_dump(mode="json", exclude={"protocol"}, exclude_unset=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterFactory:
    """Makes the adapter of a connection.

    ``broker_address`` is the hub's own broker from the settings: the one address that the
    device policy need not allow.
    """

    policy: AddressPolicy
    describe: DescribeStream
    clock: Clock
    broker_address: str

    def make(self, connection: Connection) -> Adapter:
        """Return the adapter; raises UnsupportedByDevice for options that no longer fit."""
        options = _options(connection)
        match options:
            case OnvifOptions():
                return OnvifAdapter(
                    connection=connection, options=options, policy=self.policy, clock=self.clock
                )
            case RtspOptions():
                return RtspAdapter(
                    connection=connection,
                    options=options,
                    describe=self.describe,
                    clock=self.clock,
                )
            case UplinkOptions():
                return UplinkAdapter(connection=connection, options=options)
            case MqttOptions():
                is_ours = connection.address == self.broker_address
                return MqttAdapter(
                    connection=connection,
                    options=options,
                    clock=self.clock,
                    policy=None if is_ours else self.policy,
                )
            case _:
                assert_never(options)


def registration_of(connection: Connection) -> Registration:
    """What an unknown device behind a connection becomes.

    Whoever configured the link to a camera meant that camera; a broker speaks for anybody.
    """
    options = _options(connection)
    if isinstance(options, MqttOptions) and not options.approve_unknown:
        return Registration.PENDING
    return Registration.APPROVED


def _options(connection: Connection) -> Options:
    try:
        return _shared_options(connection.protocol, json.dumps(connection.options, sort_keys=True))
    except ValidationError:
        msg = "the options of this connection do not fit its protocol: edit the connection"
        raise UnsupportedByDevice(msg) from None


@lru_cache(maxsize=4096)
def _shared_options(protocol: str, text: str) -> Options:
    """Most of seventy thousand connections have the same options: one frozen object serves all."""
    return CONNECTION_OPTIONS.validate_python({**json.loads(text), "protocol": protocol})
