"""The broker for machines without mosquitto: amqtt in a process of its own.

Run as a script by :mod:`hub.runtime.embedded_broker`, never imported by the hub::

    python -I amqtt_process.py FOLDER PORT

It reads the same two files that mosquitto would, ``passwords`` and ``acl`` in ``FOLDER``, again
on SIGHUP, and ends on SIGTERM. MQTT 3.1.1 on the loopback interface, nothing kept on disk: a
broker for trying the hub out.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

# amqtt ships no type information.
from amqtt.broker import Broker  # type: ignore[import-untyped]
from amqtt.contexts import Action, BaseContext  # type: ignore[import-untyped]
from amqtt.plugins.base import (  # type: ignore[import-untyped]
    BaseAuthPlugin,
    BaseTopicPlugin,
)
from amqtt.session import Session  # type: ignore[import-untyped]

SESSION_KEPT_S = 7 * 24 * 3600
READING = frozenset({"read", "readwrite"})
WRITING = frozenset({"write", "readwrite"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the ACL file; ``user`` is None for a pattern, which holds for everyone."""

    user: str | None
    access: str
    topic: str


@dataclass(slots=True, kw_only=True)
class Directory:
    """Who may log in and what each may do, as the two files say."""

    hashes: dict[str, str] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)

    def load(self, folder: Path) -> None:
        """Read both files anew."""
        lines = (folder / "passwords").read_text("ascii").splitlines()
        pairs = (line.partition(":") for line in lines)
        self.hashes = {name: hashed for name, _, hashed in pairs if hashed}
        self.rules = parse_acl((folder / "acl").read_text("ascii"))

    def accepts(self, username: str | None, password: str | None) -> bool:
        """Tell whether this is the password of this user."""
        stored = self.hashes.get(username or "")
        return stored is not None and verify(password or "", stored)

    def allows(self, username: str | None, topic: str, access: frozenset[str]) -> bool:
        """Tell whether the user may read or write the topic; ``topic`` may be a filter."""
        return bool(username) and any(
            rule.access in access
            and rule.user in {None, username}
            and covers(rule.topic.replace("%u", username or ""), topic)
            for rule in self.rules
        )


def parse_acl(text: str) -> list[Rule]:
    """Parse the part of mosquitto's ACL format that the hub writes."""
    rules: list[Rule] = []
    user: str | None = None
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        access, _, topic = rest.partition(" ")
        if word == "user":
            user = rest
        elif word == "topic":
            rules.append(Rule(user=user, access=access, topic=topic))
        elif word == "pattern":
            rules.append(Rule(user=None, access=access, topic=topic))
    return rules


def verify(password: str, stored: str) -> bool:
    """Compare a password with a hash in mosquitto's PBKDF2 format (``$7$rounds$salt$hash``)."""
    try:
        _, kind, rounds, salt, digest = stored.split("$")
        made = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(salt), int(rounds))
        return kind == "7" and hmac.compare_digest(made, base64.b64decode(digest))
    except (ValueError, binascii.Error):
        return False


def covers(allowed: str, asked: str) -> bool:
    """Tell whether every topic that ``asked`` (topic or filter) names lies within ``allowed``."""
    ours, theirs = allowed.split("/"), asked.split("/")
    for index, level in enumerate(ours):
        if level == "#":
            return not (index == 0 and theirs[0].startswith("$"))
        if index >= len(theirs) or theirs[index] == "#":
            return False
        if level not in {"+", theirs[index]}:
            return False
    return len(ours) == len(theirs)


DIRECTORY = Directory()  # the plug-ins are built by amqtt, from their names: they meet here


class Users(BaseAuthPlugin):  # type: ignore[misc]  # amqtt ships no type information
    """Log in by the password file."""

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)

    async def authenticate(self, *, session: Session) -> bool:
        """Accept the session's user name and password, or not."""
        return DIRECTORY.accepts(session.username, session.password)


class Topics(BaseTopicPlugin):  # type: ignore[misc]  # amqtt ships no type information
    """Publish and subscribe by the ACL file."""

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)

    async def topic_filtering(
        self,
        *,
        session: Session | None = None,
        topic: str | None = None,
        action: Action | None = None,
    ) -> bool:
        """Allow what the ACL allows this user."""
        access = WRITING if action == Action.PUBLISH else READING
        username = session.username if session is not None else None
        return DIRECTORY.allows(username, topic or "", access)


async def serve(folder: Path, port: int) -> None:
    """Run the broker until SIGTERM."""
    DIRECTORY.load(folder)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    loop.add_signal_handler(signal.SIGHUP, DIRECTORY.load, folder)
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "session_expiry_interval": SESSION_KEPT_S,
            "plugins": {f"{__name__}.{plugin.__name__}": {} for plugin in (Users, Topics)},
        }
    )
    await broker.start()
    await stopped.wait()
    await broker.shutdown()


if __name__ == "__main__":
    # Its warnings are about single packets, several for each: they would fill the disk.
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
