"""The files of deploy/: read as their programs read them, as far as that needs no such program."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from config.loader import load_settings
from config.schema import Settings
from hub.main.roles import ProcessRole
from hub.maintenance.sheet_reader import DEFAULT_LIMITS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SECRET = re.compile(r"(?i)password|passwd|secret|token|key")
# ${NAME}, and what compose is to do when it is not set: ":?text" refuses, ":-text" takes text.
REFERENCE = re.compile(r"\$\{(?P<name>\w+)(?P<unset>:[?-])?(?P<text>[^}]*)\}")
DUMMIES = {
    "DB_PASSWORD": "0123456789abcdef",
    "MQTT_PASSWORD": "fedcba9876543210",
    "BROKER_FILES": "/etc/broker",
    "TIME_ZONE": "Asia/Shanghai",
    "PUBLIC_URL": "https://gengfu.example",
    "TRUSTED_PROXIES": "172.30.80.1/32",
}

Tree = dict[str, object]


def tree(value: object) -> Tree:
    """A mapping of YAML with names for keys; anything else fails the test."""
    assert isinstance(value, dict)
    return {str(key): below for key, below in value.items()}


def texts(value: object) -> list[str]:
    """A list of YAML as text; nothing is an empty one."""
    assert value is None or isinstance(value, list)
    return [str(item) for item in value or []]


def read_compose() -> Tree:
    return tree(yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8")))


def services() -> dict[str, Tree]:
    return {name: tree(body) for name, body in tree(read_compose()["services"]).items()}


def environment_of(service: str) -> dict[str, str]:
    return {name: str(v) for name, v in tree(services()[service]["environment"]).items()}


def fill(text: str, values: dict[str, str]) -> str:
    """What compose makes of a value when every variable is set."""
    return REFERENCE.sub(lambda found: values[found["name"]], text)


def read_unit(path: Path) -> configparser.RawConfigParser:
    unit = configparser.RawConfigParser(strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their capitals
    unit.read_string(path.read_text(encoding="utf-8"))
    return unit


def test_the_hub_of_compose_starts_with_its_settings() -> None:
    environment = {name: fill(v, DUMMIES) for name, v in environment_of("hub").items()}

    settings = load_settings(None, environment)

    assert settings.database.url is not None
    assert settings.database.url.get_secret_value() == (
        f"postgresql://gengfu:{DUMMIES['DB_PASSWORD']}@timescaledb/gengfu"
    )
    assert settings.mqtt.url is not None
    assert settings.mqtt.url.get_secret_value() == "mqtts://mosquitto:8883"
    assert settings.mqtt.password.get_secret_value() == DUMMIES["MQTT_PASSWORD"]
    assert settings.http.trusted_proxies == ("172.30.80.1/32",)
    assert settings.http.public_url == "https://gengfu.example"


def test_what_compose_lets_unset_means_the_settings_default() -> None:
    optional = {
        name: fill(text, dict.fromkeys(DUMMIES, ""))
        for name, text in environment_of("hub").items()
        if ":-" in text
    }

    assert set(optional) == {"GENGFU_HTTP__PUBLIC_URL", "GENGFU_HTTP__TRUSTED_PROXIES"}
    assert load_settings(None, optional) == Settings()


@pytest.mark.threat("T15")
def test_no_secret_of_compose_has_a_default() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    references = list(REFERENCE.finditer(text))

    assert {"DB_PASSWORD", "MQTT_PASSWORD"} <= {found["name"] for found in references}
    for found in references:
        if found["unset"] != ":?":
            assert (found["unset"], found["text"]) == (":-", ""), found[0]
            assert not SECRET.search(found["name"]), found[0]


@pytest.mark.threat("T15")
@pytest.mark.parametrize("service", [n for n, body in services().items() if "environment" in body])
def test_no_secret_is_written_into_compose(service: str) -> None:
    for name, text in environment_of(service).items():
        if SECRET.search(name):
            assert REFERENCE.fullmatch(text), f"{name} holds a secret of its own"
        assert not re.search(r"://[^@/:]*:(?!\$\{)[^@/]*@", text), f"{name}: a password in it"


@pytest.mark.threat("T25")
def test_compose_publishes_the_console_on_loopback_and_nothing_else() -> None:
    published = {name: texts(body.get("ports")) for name, body in services().items()}

    assert {name for name, ports in published.items() if ports} == {"hub"}
    for port in published["hub"]:
        assert port.startswith("127.0.0.1:"), port
    assert all("network_mode" not in body for body in services().values())


@pytest.mark.threat("T25")
def test_only_the_hub_can_reach_the_database() -> None:
    networks = tree(read_compose()["networks"])

    assert tree(networks["database"])["internal"] is True
    assert texts(services()["timescaledb"]["networks"]) == ["database"]
    assert [n for n, body in services().items() if "database" in texts(body["networks"])] == [
        "timescaledb",
        "hub",
    ]


def test_what_compose_mounts_is_here_or_named_by_the_administrator() -> None:
    volumes = set(tree(read_compose()["volumes"]))
    for name, body in services().items():
        for mount in texts(body.get("volumes")):
            source, target = fill(mount, DUMMIES).removesuffix(":ro").split(":")
            assert target.startswith("/"), mount
            if source.startswith("."):
                assert mount.endswith(":ro"), f"{name} may change {source}"
                assert (DEPLOY / source).is_file(), source
            else:
                assert source in volumes or source.startswith(DUMMIES["BROKER_FILES"]), mount


def test_the_broker_of_compose_finds_what_its_settings_name() -> None:
    settings = dict(
        line.split(maxsplit=1)
        for line in (DEPLOY / "mosquitto" / "mosquitto.conf").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    )
    broker = services()["mosquitto"]
    targets = {fill(m, DUMMIES).split(":")[1] for m in texts(broker["volumes"])}

    assert texts(broker["command"])[-1] in targets
    assert settings["persistence_location"].rstrip("/") in targets
    for name in ("acl_file", "password_file", "certfile", "keyfile"):
        assert any(Path(settings[name]).is_relative_to(target) for target in targets), name


def dockerfile() -> list[str]:
    """The Dockerfile's instructions, one a line."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image_is_built_from_what_is_here() -> None:
    copied = [
        source
        for line in dockerfile()
        if line.startswith("COPY ") and "--from=" not in line
        for source in line.split()[1:-1]
    ]

    assert [source for source in copied if not (ROOT / source).exists()] == []
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages <= set(copied)
    # What the builder is not sent cannot be copied, and more than that it need not see.
    sent = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert sent[1] == "*"
    assert {line.removeprefix("!") for line in sent if line.startswith("!")} == set(copied)


def test_the_image_takes_locked_packages_from_no_index_of_its_own() -> None:
    installs = [line for line in dockerfile() if "pip install" in line]

    assert len(installs) == 2
    assert "--require-hashes --requirement requirements.lock" in installs[0]
    assert "--no-index" in installs[1]
    assert not re.search(r"(?i)index[-_]url|https?://(?!127)", str(dockerfile()))


def test_the_image_runs_the_hub_as_an_ordinary_user() -> None:
    last = dockerfile()[[i for i, line in enumerate(dockerfile()) if line.startswith("FROM")][-1] :]
    found = {line.split()[0]: line.split(maxsplit=1)[1] for line in last}

    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", found["USER"])
    assert found["STOPSIGNAL"] == "SIGTERM"
    assert found["VOLUME"] in found["ENV"]
    assert "/healthz" in found["HEALTHCHECK"]
    settings = dict(pair.split("=", 1) for pair in found["ENV"].split() if "GENGFU_" in pair)
    assert str(load_settings(None, settings).data_dir) == found["VOLUME"]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_guards_the_machine_and_lets_the_hub_end_its_servers(path: Path) -> None:
    service = read_unit(path)["Service"]

    assert service["KillMode"] == "mixed"
    assert service["Restart"] == "on-failure"
    assert service["User"] not in {"", "root"}
    assert service["ProtectSystem"] == "strict"
    assert service["StateDirectory"] == "gengfu"
    for name in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome"):
        assert service[name] == "yes", name
    assert service["CapabilityBoundingSet"] == ""
    # The embedded servers' patience with themselves, see hub/runtime/embedded_*.py.
    is_whole = path.name == "gengfu.service"
    assert int(service["TimeoutStopSec"]) >= (2 + 20 + 55 if is_whole else 10)


def test_the_template_takes_a_role_by_its_name() -> None:
    service = read_unit(DEPLOY / "systemd" / "gengfu@.service")["Service"]

    assert service["ExecStart"].endswith(" run --role %i")
    head = (
        (DEPLOY / "systemd" / "gengfu@.service").read_text("utf-8").split("[Unit]", maxsplit=1)[0]
    )
    assert set(re.findall(r"gengfu@([a-z]+)", head)) == {role.value for role in ProcessRole}


def test_the_environment_of_the_service_is_of_real_settings() -> None:
    text = (DEPLOY / "systemd" / "gengfu.env.example").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if re.match(r"#?[A-Z_]+=", line)]
    found: dict[str, str] = {}
    for line in lines:
        name, value = line.removeprefix("#").split("=", 1)
        assert re.fullmatch(r"'[^']*'", value), "what systemd and the shell read alike"
        found[name] = value.strip("'")

    assert not any(value for name, value in found.items() if SECRET.search(name))
    assert Path(found.pop("GENGFU_SETTINGS")).is_absolute()
    settings = load_settings(None, found)
    state = read_unit(DEPLOY / "systemd" / "gengfu.service")["Service"]["StateDirectory"]
    assert settings.data_dir == Path("/var/lib") / state


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_takes_the_unit(path: Path, tmp_path: Path) -> None:
    systemd = shutil.which("systemd-analyze")
    if systemd is None:
        pytest.skip("systemd-analyze is not installed")
    text = path.read_text(encoding="utf-8")
    program = re.search(r"^ExecStart=(\S+)", text, re.MULTILINE)
    assert program is not None
    # The program is not installed where the tests run; everything else stays as it is.
    copy = tmp_path / path.name
    copy.write_text(text.replace(program[1], sys.executable), encoding="utf-8")

    done = subprocess.run(
        [systemd, "verify", "--man=no", "--recursive-errors=no", str(copy)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_nginx_passes_events_on_at_once_and_believes_no_visitor() -> None:
    text = (DEPLOY / "nginx" / "gengfu.conf").read_text(encoding="utf-8")
    live = re.search(r"location = /api/v1/live \{(.*?)\}", text, re.DOTALL)

    assert live is not None
    assert "proxy_buffering off;" in live[1]
    assert "gzip off;" in live[1]
    # Everywhere: a location with headers of its own inherits none.
    places = re.findall(r"proxy_set_header X-Forwarded-For (\S+);", text)
    assert set(places) == {"$remote_addr"}
    assert len(places) == text.count("proxy_set_header Host $http_host;") == 2
    sockets = re.search(r"location ~ (\S+) \{(.*?)\}", text, re.DOTALL)
    assert sockets is not None
    assert re.match(sockets[1], "/api/v1/devices/7/live")
    assert not re.match(sockets[1], "/api/v1/devices/7/live/whep")
    assert "proxy_set_header Upgrade $http_upgrade;" in sockets[2]
    largest = re.search(r"client_max_body_size (\d+)m;", text)
    assert largest is not None
    assert int(largest[1]) << 20 >= DEFAULT_LIMITS.file_bytes
    assert text.count("{") == text.count("}")


def test_what_the_readme_names_is_here() -> None:
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 200
    named = set(re.findall(r"`((?:deploy|config|tests|hub)/[\w./@-]+)`", text))
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    assert {"deploy/compose.yaml", "deploy/systemd/gengfu.service"} <= named


def test_the_readme_uses_real_settings_and_roles() -> None:
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    for section, field in re.findall(r"`(\w+)\.(\w+)`", text):
        if section in Settings.model_fields:
            model = Settings.model_fields[section].annotation
            assert isinstance(model, type)
            assert field in getattr(model, "model_fields", {}), f"{section}.{field}"
    assert set(re.findall(r"\bGENGFU_[A-Z_]+\b", text)) <= {"GENGFU_SETTINGS", "GENGFU_DATA_DIR"}
    for role in re.findall(r"gengfu@([a-z]+)\b", text):
        assert role in {known.value for known in ProcessRole}, role
