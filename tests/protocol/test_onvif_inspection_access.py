"""Passwords, rights and certificates in the slow look at cameras."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.domain.errors import (
    AddressRefused,
    AuthRejected,
    DeviceError,
    DeviceUnreachable,
    ProtocolViolation,
    UnsupportedByDevice,
)
from hub.domain.ports import CameraTarget
from hub.simulators.faults import Fault
from tests.protocol.onvif_camera import fault, serve
from tests.protocol.onvif_look import look_at, seconds_off, target_of
from tests.protocol.onvif_recorder import Recorder
from tests.protocol.simulated import simulated_camera, utc_now


@pytest.mark.threat("T28")
async def test_a_wrong_password_is_tried_once_in_a_look() -> None:
    camera = Recorder(auth="wsse")
    async with serve(camera):
        found = await look_at(target_of(camera.base, password="wrong-Pa55"))
    with_password = [body for body in camera.bodies if "UsernameToken" in body]
    assert len(with_password) == 1
    assert found.clock_offset_s is not None, "the clock is told to everybody"
    assert found.firmware == ""
    (note,) = found.notes
    assert "refuses the user name or password" in note
    assert "wrong-Pa55" not in repr(found)


@pytest.mark.threat("T28")
async def test_a_wrong_password_over_http_digest_is_tried_once_in_a_look() -> None:
    camera = Recorder(auth="http-digest")
    tried: list[str] = []
    refuse = camera.refusal

    def count(request: web.Request, body: str) -> web.Response | None:
        if "Authorization" in request.headers:
            tried.append(body)
        return refuse(request, body)

    camera.refusal = count  # type: ignore[method-assign]  # one camera of this test
    async with serve(camera):
        found = await look_at(target_of(camera.base, password="wrong-Pa55"))
    assert len(tried) == 1
    assert found.clock_offset_s is not None


async def test_a_user_without_rights_to_recordings_sees_the_rest() -> None:
    camera = Recorder(auth="wsse")
    camera.say("GetRecordingSummary", lambda: fault("NotAuthorized", "Sender not Authorized"))
    async with serve(camera):
        found = await look_at(camera)
    assert found.firmware == "1.0"
    assert found.recording is None
    assert camera.calls.count("GetRecordingSummary") == 1
    assert "FindRecordings" not in camera.calls


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (Fault.POWER_CUT, DeviceUnreachable),
        (Fault.CABLE_CUT, DeviceUnreachable),
        (Fault.SLOW_ANSWERS, DeviceUnreachable),
        (Fault.GARBAGE, ProtocolViolation),
    ],
)
async def test_a_camera_that_tells_nothing_is_an_error(
    broken: Fault, kind: type[DeviceError]
) -> None:
    async with simulated_camera() as camera:
        await camera.set_fault(broken)
        with pytest.raises(kind):
            await look_at(camera, timeout_s=1.0)
        await camera.clear_fault()


async def test_a_changed_password_still_tells_the_clock() -> None:
    async with simulated_camera() as camera:
        await camera.set_fault(Fault.WRONG_PASSWORD)
        found = await look_at(camera)
        await camera.clear_fault()
    assert abs(seconds_off(found)) < 2
    assert (found.firmware, found.recording) == ("", None)


async def test_a_clock_that_is_told_only_with_a_password_refuses_a_wrong_one() -> None:
    camera = Recorder(auth="wsse")

    async def guarded(_request: web.Request, body: str) -> web.StreamResponse:
        refusal = camera._refusal_wsse(body) if "UsernameToken" in body else None
        return refusal or fault("NotAuthorized", "Sender not Authorized")

    camera.answers["GetSystemDateAndTime"] = guarded
    async with serve(camera):
        with pytest.raises(AuthRejected):
            await look_at(target_of(camera.base, password="wrong-Pa55"))
    assert sum("UsernameToken" in body for body in camera.bodies) == 1


async def test_a_camera_behind_address_translation_is_reached_by_its_connection() -> None:
    camera = Recorder(xaddr="http://192.168.1.64/onvif/search")
    async with serve(camera):
        found = await look_at(target_of(camera.base, rewrite_host=True))
    assert found.recording is not None
    assert "GetRecordingSummary" in camera.calls


async def test_without_an_onvif_service_there_is_nothing_to_ask() -> None:
    with pytest.raises(UnsupportedByDevice, match="no ONVIF service"):
        await look_at(CameraTarget(device_id=1, stream_address="rtsp://127.0.0.1/main"))


@pytest.mark.parametrize("address", ["rtsp://127.0.0.1/", "exec:reboot", "file:///etc/passwd"])
async def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        await look_at(target_of(address))


async def test_options_that_do_not_fit_are_said() -> None:
    with pytest.raises(UnsupportedByDevice, match="edit the connection"):
        await look_at(target_of("http://127.0.0.1:1/", verify="off"))


def certificate(folder: Path, *, ends: datetime) -> ssl.SSLContext:
    """A server's context with a self-signed certificate for 127.0.0.1 that ends then."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    alternative = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=365))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "camera.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "camera.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "camera.pem", folder / "camera.key")
    return context


EXPIRED = datetime(2020, 2, 29, 12, tzinfo=UTC)


async def test_the_end_of_a_trusted_certificate_is_told_with_the_rest(tmp_path: Path) -> None:
    async with serve(Recorder(auth="wsse"), certificate(tmp_path, ends=utc_now())) as camera:
        pass
    ends = (utc_now() + timedelta(days=20)).replace(microsecond=0)
    async with serve(Recorder(auth="wsse"), certificate(tmp_path, ends=ends)) as camera:
        target = target_of(camera.base, verify="ca", ca_file=str(tmp_path / "camera.pem"))
        found = await look_at(target)
    assert found.certificate_expires_at == ends
    assert found.firmware == "1.0"
    assert found.recording is not None
    assert found.notes == ()


async def test_an_expired_certificate_is_told_and_trusted_for_nothing(tmp_path: Path) -> None:
    async with serve(Recorder(auth="wsse"), certificate(tmp_path, ends=EXPIRED)) as camera:
        found = await look_at(target_of(camera.base, ca_file=str(tmp_path / "camera.pem")))
        assert camera.calls == []
    assert found.certificate_expires_at == EXPIRED
    assert (found.firmware, found.clock_offset_s) == ("", None)
    (note,) = found.notes
    assert "does not verify" in note


async def test_an_expired_certificate_may_be_accepted_by_the_connection(tmp_path: Path) -> None:
    async with serve(Recorder(auth="wsse"), certificate(tmp_path, ends=EXPIRED)) as camera:
        found = await look_at(target_of(camera.base, verify="off", reason="old cameras"))
    assert found.certificate_expires_at == EXPIRED
    assert found.firmware == "1.0"


async def test_https_to_a_server_without_tls_is_an_error() -> None:
    async with serve(Recorder()) as camera:
        with pytest.raises(DeviceError):
            await look_at(target_of(camera.base.replace("http", "https")))
