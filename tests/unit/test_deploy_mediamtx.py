"""The settings of MediaMTX beside the hub: closed to all but the hub, and nothing is run."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from config.schema import LiveSettings

FILE = Path(__file__).parents[2] / "deploy" / "mediamtx.yml"


@pytest.mark.threat("T25")
def test_only_the_hub_reads_and_nobody_publishes() -> None:
    settings = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    for name in ("apiAddress", "hlsAddress", "webrtcAddress"):
        assert settings[name].startswith("127.0.0.1:"), name
    (user,) = settings["authInternalUsers"]
    assert user["user"] != "any"
    assert user["ips"] == ["127.0.0.1", "::1"]
    assert {one["action"] for one in user["permissions"]} == {"api", "read"}
    assert not any(settings[name] for name in ("rtsp", "rtmp", "srt", "playback", "pprof"))
    assert settings["paths"] == {}
    # Whatever calls out or runs something could be forged or misused: there is none.
    assert not [name for name in settings if name.startswith(("runOn", "authHTTP", "authJWT"))]


@pytest.mark.threat("T15")
def test_the_password_of_the_file_is_refused_by_the_hub() -> None:
    (user,) = yaml.safe_load(FILE.read_text(encoding="utf-8"))["authInternalUsers"]
    with pytest.raises(ValueError, match="change-me"):
        LiveSettings.model_validate({"mediamtx_password": user["pass"]})


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:9997", "rtsp://h:1", "http://u:p@h", "http://h/v3", "http://h?x", "http://"],
)
def test_what_is_no_address_of_a_server_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="no address of a server"):
        LiveSettings.model_validate({"mediamtx": address})
    assert urlsplit(LiveSettings(mediamtx="http://h:9997/").mediamtx).port == 9997
