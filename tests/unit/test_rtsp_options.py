"""Options of an RTSP connection: what is refused, and that no message holds a password."""

import pytest
from pydantic import ValidationError

from adapters.rtsp.options import RtspOptions


def test_addresses_are_kept_in_their_normal_form() -> None:
    options = RtspOptions(
        sub_stream_address="RTSP://Cam.example/sub", snapshot_address="http://cam.example/snap"
    )
    assert options.sub_stream_address == "rtsp://cam.example/sub"
    assert options.snapshot_address == "http://cam.example/snap"


@pytest.mark.threat("T3")
@pytest.mark.parametrize(
    "address",
    [
        "exec:/bin/sh",
        "file:///etc/passwd",
        "concat:a|b",
        "pipe:0",
        "-i x",
        "rtsp://h/a b",
        "rtsp://h/\n",
        "http://h/",
    ],
)
def test_other_stream_addresses_are_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        RtspOptions(sub_stream_address=address)


@pytest.mark.threat("T3")
@pytest.mark.parametrize("address", ["rtsp://h/", "file:///x", "http://h/ x"])
def test_other_snapshot_addresses_are_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        RtspOptions(snapshot_address=address)


@pytest.mark.threat("T31")
def test_credentials_in_an_address_are_refused_without_being_repeated() -> None:
    with pytest.raises(ValidationError, match="fields of their own") as caught:
        RtspOptions(sub_stream_address="rtsp://admin:geheim@h/sub")
    assert "geheim" not in str(caught.value)


def test_unknown_keys_and_wild_intervals_are_errors() -> None:
    with pytest.raises(ValidationError):
        RtspOptions.model_validate({"pol_interval_s": 5})
    with pytest.raises(ValidationError):
        RtspOptions(poll_interval_s=0)
