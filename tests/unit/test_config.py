"""The settings: every mistake is named with file, key and remedy, and no secret is repeated."""

from pathlib import Path

import pytest

from config.loader import load_settings
from config.schema import Settings
from hub.domain.errors import ConfigError

SECRET = "s3cr3t-value"


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "gengfu.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[databse]\nurl = 'x'", "databse is no setting: did you mean 'database'?"),
        ("[http]\nprot = 1", "http.prot is no setting: did you mean 'port'?"),
        ("[http]\nport = 'many'", "http.port: Input should be a valid integer"),
        ("[http]\nport = 99999", "http.port: Input should be less than or equal to 65535"),
        ("time_zone = 'Mars/Olympus'", "use an IANA name such as Asia/Shanghai"),
        ("[network]\ndevices = ['10.0.0.0/99']", "is not a network: write it like"),
        (f"[database]\nurl = 'mysql://u:{SECRET}@h/d'", "write it like postgresql://"),
        (f"[mqtt]\nurl = '{SECRET}'", "write it like mqtt://host:1883"),
        ("[mqtt]\npassword = 'change-me'", "choose another one"),
        ("[http\nport = 1", "is not TOML"),
        ("[mqtt]\npassword = '${NOT_SET_HERE}'", "export NOT_SET_HERE or write the value"),
        ("database = 'x'", "database: Input should be"),
    ],
)
@pytest.mark.threat("T15")
@pytest.mark.threat("T31")
def test_a_mistake_is_named_and_no_value_repeated(tmp_path: Path, text: str, said: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_settings(file, {})
    assert said in str(caught.value)
    assert str(file) in str(caught.value)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: No such file"):
        load_settings(tmp_path / "nowhere.toml", {})


def test_the_environment_wins_and_lists_are_split() -> None:
    settings = load_settings(
        None,
        {
            "GENGFU_HTTP__PORT": "8081",
            "GENGFU_NETWORK__DEVICES": "10.1.0.0/16, 10.2.0.0/16",
            "GENGFU_DATA_DIR": "/srv/gengfu",
            "HOME": "/root",
        },
    )
    assert settings.http.port == 8081
    assert settings.network.devices == ("10.1.0.0/16", "10.2.0.0/16")
    assert settings.key_file == Path("/srv/gengfu/gengfu.key")


def test_a_variable_with_a_typo_is_an_error_too() -> None:
    with pytest.raises(ConfigError, match=r"GENGFU_HTTP__PROT: http\.prot is no setting"):
        load_settings(None, {"GENGFU_HTTP__PROT": "1"})


def test_variables_fill_values(tmp_path: Path) -> None:
    file = write(tmp_path, "[database]\nurl = 'postgresql://g:${DB_PW}@h/d'")
    settings = load_settings(None, {"GENGFU_SETTINGS": str(file), "DB_PW": SECRET})
    assert settings.database.url is not None
    assert SECRET in settings.database.url.get_secret_value()


@pytest.mark.threat("T31")
def test_settings_show_no_secret(tmp_path: Path) -> None:
    file = write(tmp_path, f"[database]\nurl = 'postgresql://g:{SECRET}@h/d'")
    settings = load_settings(file, {})
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings.model_dump())
    assert SECRET not in settings.model_dump_json()


def test_defaults_are_the_embedded_parts() -> None:
    settings = Settings()
    assert settings.database.url is None
    assert settings.mqtt.url is None
    assert settings.http.host == "127.0.0.1"
