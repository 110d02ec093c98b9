"""Asking strangers for RTSP: whether they speak it, and whether they ask for a password.

No password is sent: RTSP servers may ask for it in a form that anybody can read (Basic). The
address a person wrote himself is another matter: there it is sent.
"""

from collections.abc import Sequence

from hub.domain.addresses import Address, AddressPolicy, parse_address
from hub.domain.discovery import Find, Login
from hub.domain.errors import AuthRejected, DeviceError
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials
from streams.describe import RTSP_SCHEMES, describe_stream
from streams.network import Trace
from streams.rtsp.client import open_rtsp

# In a local network an answer takes milliseconds; most hosts of a range never give one.
ENDPOINT_S = 2.0
ADDRESS_S = 10.0


async def ask_endpoint(
    address: str, credentials: Sequence[Credentials], *, policy: AddressPolicy
) -> Find | None:
    """Return what speaks RTSP there, None when nothing does; see AskEndpoint."""
    del credentials
    place = parse_address(address, schemes=RTSP_SCHEMES)
    if policy.refusal(place.host, place.port) is not None:
        return None
    has_answered, login = False, Login.UNTRIED
    try:
        async with open_rtsp(
            place, Credentials(), timeout_s=ENDPOINT_S, policy=policy, trace=Trace()
        ) as rtsp:
            await rtsp.answers()
            has_answered = True
            await rtsp.describe()
            login = Login.OPEN
    except AuthRejected:
        login = Login.NEEDED
    except DeviceError:  # it knows no stream under "/": its address is for a person to say
        pass
    return _find(place, login=login) if has_answered else None


async def ask_address(address: str, credentials: Credentials, *, policy: AddressPolicy) -> Find:
    """Return what flows at an address that a person wrote.

    Raises:
        DeviceError: why nothing does.
    """
    place = parse_address(address, schemes=RTSP_SCHEMES)
    target = CameraTarget(device_id=0, stream_address=place.text, credentials=credentials)
    stream = await describe_stream(target, timeout_s=ADDRESS_S, policy=policy)
    size = f" {stream.width}x{stream.height}" if stream.width else ""
    has_login = bool(credentials.username or credentials.password)
    return _find(
        place,
        stream=f"{stream.codec}{size}",
        login=Login.FITS if has_login else Login.OPEN,
    )


def _find(place: Address, *, login: Login, stream: str = "") -> Find:
    return Find(
        host=place.host,
        port=place.port,
        protocol="rtsp",
        address=place.text,
        login=login,
        stream=stream,
    )
