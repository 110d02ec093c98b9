"""No secret reaches a log line, whoever writes it."""

import logging

import pytest

from hub.domain.secrets import Credentials, Secret
from hub.runtime.logs import MaskingFormatter, mask

SECRET = "Xy7-s3cr3t"


@pytest.mark.threat("T31")
@pytest.mark.parametrize(
    "text",
    [
        f"opening rtsp://admin:{SECRET}@10.0.0.1/s",
        f"password={SECRET}",
        f'{{"password": "{SECRET}"}}',
        f"{{'secret': '{SECRET}'}}",
        f"Authorization: Bearer {SECRET}",
        f"Authorization: Basic {SECRET}",
        f"<wsse:Password Type='#PasswordDigest'>{SECRET}</wsse:Password>",
        f'Digest username="a", response="{SECRET}"',
        f"token={SECRET}&x=1",
        f"connection to postgresql://u:{SECRET}@h/d failed",
    ],
)
def test_secrets_are_masked(text: str) -> None:
    assert SECRET not in mask(text)
    assert "***" in mask(text)


@pytest.mark.parametrize("text", ["2026-11-22 10:11:12 camera 东门 is up", "rtsp://10.0.0.1:554/s"])
def test_plain_text_stays(text: str) -> None:
    assert mask(text) == text


def test_a_traceback_is_masked_too() -> None:
    error = ValueError(f"cannot open rtsp://u:{SECRET}@h/")
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", (), (type(error), error, None))
    line = MaskingFormatter("%(message)s").format(record)
    assert "ValueError" in line
    assert SECRET not in line


def test_a_foreign_line_break_does_not_forge_a_line() -> None:
    record = logging.LogRecord(
        "x", logging.INFO, "f", 1, "name %s", ("a\nERROR all is lost",), None
    )
    assert "\n    ERROR" in MaskingFormatter("%(message)s").format(record)


@pytest.mark.threat("T31")
def test_a_secret_hides_itself() -> None:
    secret = Secret(SECRET)
    held = Credentials(username="u", password=secret)
    for shown in (str(secret), repr(secret), f"{secret}", f"{secret:>20}", repr(held), str(held)):
        assert SECRET not in shown
    assert secret.reveal() == SECRET
    assert not Secret()
