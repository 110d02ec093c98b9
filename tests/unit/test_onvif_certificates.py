"""The end of a certificate: read from whatever a stranger shows."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from adapters.onvif.certificates import MAX_CERTIFICATE_BYTES, parse_expiry
from hub.domain.errors import ProtocolViolation


def certificate(ends: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(ends - timedelta(days=1))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


SHOWN = certificate(datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    "ends",
    [
        datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),  # RFC 5280: it never ends
    ],
)
def test_the_end_is_read(ends: datetime) -> None:
    assert parse_expiry(certificate(ends)) == ends


@pytest.mark.parametrize("shown", [b"", b"\x30", SHOWN[:-1], SHOWN + b"\x00", b"-----BEGIN"])
def test_what_is_no_certificate_is_a_violation(shown: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="cannot be read"):
        parse_expiry(shown)


def test_the_serial_number_zero_of_cheap_cameras_does_no_harm() -> None:
    zero = SHOWN.replace(b"\x02\x01\x07", b"\x02\x01\x00", 1)
    assert zero != SHOWN
    assert parse_expiry(zero) == datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_an_end_before_there_were_certificates_says_nothing() -> None:
    """Nothing that counts with it later may run out of years."""
    with pytest.raises(ProtocolViolation, match="before there were any"):
        parse_expiry(certificate(datetime(1951, 1, 1, tzinfo=UTC)))


def test_a_huge_one_is_refused_unread() -> None:
    with pytest.raises(ProtocolViolation, match="larger"):
        parse_expiry(b"\x30" * (MAX_CERTIFICATE_BYTES + 1))


@pytest.mark.threat("K8")
@given(
    st.lists(st.tuples(st.integers(0, len(SHOWN) - 1), st.integers(0, 255)), min_size=1, max_size=8)
)
def test_a_damaged_one_has_an_end_or_is_a_violation(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(SHOWN)
    for place, value in changes:
        damaged[place] = value
    try:
        ends = parse_expiry(bytes(damaged))
    except ProtocolViolation:
        return
    assert ends - timedelta(days=365) < ends
