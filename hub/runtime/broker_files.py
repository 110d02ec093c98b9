"""The files of the embedded broker: settings, users and what each of them may do.

Both brokers read the same two: ``passwords`` (mosquitto's format) and ``acl``. A device's
identity is its user name: the ACL lets it publish below its own name only. No file holds a
value that came from outside except user names, and those pass :func:`check_username`.
"""

import base64
import hashlib
import json
import re
import secrets
from pathlib import Path

from hub.domain.errors import ConfigError, Invalid
from hub.domain.secrets import Credentials, Secret
from hub.runtime.processes import ServiceUser, refused, run, write_private

HUB = "hub"
SIMULATORS = "simulators"
MAX_MESSAGE = 1024 * 1024  # bytes of payload
MAX_PACKET = MAX_MESSAGE + 64 * 1024  # and its topic and properties
AUTOSAVE_S = 5  # what kill -9 of the broker may lose
MAX_INFLIGHT = 20_000  # unacknowledged at once: twice the hub's largest batches, with room
HASH_ROUNDS = 1000  # PBKDF2-SHA512: 1 ms per login; ten thousand sensors reconnect at once

ACL = f"""\
user {HUB}
topic readwrite #
topic read $SYS/#

user {SIMULATORS}
topic write gengfu/v1/#
topic read gengfu/v1/+/command

pattern write gengfu/v1/%u/#
pattern read gengfu/v1/%u/#
"""

SETTINGS = """\
# Written at every start.
listener {port} 127.0.0.1
allow_anonymous false
password_file passwords
acl_file acl

persistence true
persistence_location ./
persistence_file mosquitto.db
autosave_interval {autosave_s}
# A client that stays away keeps its queue this long; without it one could fill the memory.
persistent_client_expiration 7d

# The default drops silently beyond 1,000 queued messages and lets 20 be unacknowledged.
max_queued_messages 0
max_inflight_messages {max_inflight}
message_size_limit {max_message}
max_packet_size {max_packet}
set_tcp_nodelay true

log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages false
log_timestamp_format %Y-%m-%dT%H:%M:%SZ
"""

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}\Z")
_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._\-]{0,63}):(\$7\$[0-9]+\$[A-Za-z0-9+/=$]+)\Z")


def build_settings(port: int) -> str:
    """Return mosquitto's settings file."""
    return SETTINGS.format(
        port=port,
        autosave_s=AUTOSAVE_S,
        max_inflight=MAX_INFLIGHT,
        max_message=MAX_MESSAGE,
        max_packet=MAX_PACKET,
    )


def check_username(name: str) -> None:
    """Refuse a user name that would mean something in a file or in a topic.

    Raises:
        Invalid: it is not 1 to 64 letters, digits, dots, dashes and underscores.
    """
    if not _USERNAME.match(name):
        msg = (
            "a broker's user name is 1 to 64 letters, digits, dots, dashes or underscores "
            "and begins with a letter or a digit"
        )
        raise Invalid(msg, field="username")


def hash_password(password: str, *, salt: bytes, rounds: int = HASH_ROUNDS) -> str:
    """Return a password's hash in mosquitto's PBKDF2 format."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
    encoded = (base64.b64encode(part).decode("ascii") for part in (salt, digest))
    return "$".join(("", "7", str(rounds), *encoded))


def load_users(folder: Path) -> dict[str, str]:
    """Return the hash of every user on file; damaged lines are left out."""
    try:
        lines = (folder / "passwords").read_text("ascii", "replace").splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise refused(folder / "passwords", error) from error
    matches = (_LINE.match(line) for line in lines)
    return {match[1]: match[2] for match in matches if match}


def build_users(hashes: dict[str, str]) -> str:
    """Return the password file of these users."""
    return "".join(f"{name}:{hashed}\n" for name, hashed in sorted(hashes.items()))


def load_own_credentials(path: Path) -> dict[str, Credentials]:
    """Return the hub's and the simulators' credentials, made at the first start."""
    try:
        kept = json.loads(path.read_bytes())
        passwords = {name: str(kept[name]) for name in (HUB, SIMULATORS)}
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # none yet, or damaged
        passwords = {name: secrets.token_urlsafe(32) for name in (HUB, SIMULATORS)}
        write_private(path, json.dumps(passwords))
    except OSError as error:
        raise refused(path, error) from error
    return {
        name: Credentials(username=name, password=Secret(password))
        for name, password in passwords.items()
    }


def write_files(folder: Path, files: dict[str, str], *, user: ServiceUser | None) -> None:
    """Replace files in the broker's folder, each as a whole, with the rights of its owner.

    Root never writes into a folder of another user, where a link could lead it elsewhere.
    """
    for name, text in files.items():
        script = f"cat > {name}.new && mv {name}.new {name}"
        status, said = run(["/bin/sh", "-c", script], cwd=folder, user=user, text=text)
        if status != 0:
            msg = f"cannot write {folder / name}: {said}"
            raise ConfigError(msg)
