"""One probe of a camera on 127.0.0.1, as the tests of probes make it."""

from datetime import UTC, datetime

from hub.domain.addresses import AddressPolicy, parse_networks
from hub.domain.health import Depth, ProbeResult
from hub.domain.ports import CameraTarget
from hub.domain.secrets import Credentials, Secret
from streams.probe import probe_camera

LOOPBACK = AddressPolicy(allowed=parse_networks(["127.0.0.0/8", "::1/128"]))
PASSWORD = "geheim-4711"
ADMIN = Credentials(username="admin", password=Secret(PASSWORD))
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def target(port: int, *, credentials: Credentials = ADMIN, path: str = "/live") -> CameraTarget:
    return CameraTarget(
        device_id=1, stream_address=f"rtsp://127.0.0.1:{port}{path}", credentials=credentials
    )


async def probe(
    camera: CameraTarget,
    *,
    timeout_s: float = 5.0,
    policy: AddressPolicy = LOOPBACK,
    depth: Depth = Depth.STREAM,
) -> ProbeResult:
    return await probe_camera(
        camera, timeout_s=timeout_s, policy=policy, clock=lambda: NOW, depth=depth
    )
