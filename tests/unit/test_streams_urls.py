"""Credentials in URLs: put there in one place, hidden everywhere else."""

from urllib.parse import unquote, urlsplit

import pytest

from hub.domain.addresses import parse_address
from hub.domain.secrets import Credentials, Secret
from streams.urls import build_stream_url, mask_urls, redact

HARD = Credentials(username="a@b:c", password=Secret("p/ä?#@: %"))


def test_credentials_are_percent_encoded() -> None:
    url = build_stream_url(parse_address("rtsp://cam.example/x?y=1"), HARD, host="192.0.2.7")
    parts = urlsplit(url)
    assert (parts.hostname, parts.port, parts.path, parts.query) == ("192.0.2.7", 554, "/x", "y=1")
    assert unquote(parts.username or "") == "a@b:c"
    assert unquote(parts.password or "") == "p/ä?#@: %"


def test_without_credentials_there_is_no_userinfo() -> None:
    url = build_stream_url(parse_address("rtsp://[2001:db8::1]:8554/x"), Credentials())
    assert url == "rtsp://[2001:db8::1]:8554/x"


@pytest.mark.threat("T31")
def test_every_url_in_a_text_is_masked() -> None:
    text = "a rtsp://u:p@h/x b https://k@h/y c http://h/z mail u@h"
    assert mask_urls(text) == "a rtsp://***@h/x b https://***@h/y c http://h/z mail u@h"


@pytest.mark.threat("T31")
def test_a_password_that_a_device_echoes_is_hidden() -> None:
    credentials = Credentials(username="admin", password=Secret("geheim+1"))
    echoed = "plain geheim+1, encoded geheim%2B1, basic YWRtaW46Z2VoZWltKzE="
    assert redact(echoed, credentials) == "plain ***, encoded ***, basic ***"
