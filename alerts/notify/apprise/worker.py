"""The program that speaks through Apprise: without files, without our environment, never alone.

Run as a script by :mod:`alerts.notify.apprise.workers`. Requests come in as lines of JSON, one at
a time; answers go out likewise. Before every connection of whatever library, the program asks
whether it may be made, so neither DNS nor a redirect gets past the hub's address policy. It reads
no file but Python's own and the certificates, writes none, and starts no program.
"""

import base64
import io
import json
import logging
import os
import resource
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TextIO

import requests
import requests.sessions
from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType
from apprise.attachment.memory import AttachMemory

MOST_MEMORY_BYTES: Final = 1024**3
MOST_ANSWER_BYTES: Final = 64 * 1024
SOCKET_TIMEOUT_S: Final = 15.0
LONGEST_SHOWN: Final = 2_000  # of an answer's JSON, for the service's own code
READABLE: Final = tuple(
    f"{Path(folder).resolve()}/"
    for folder in (
        sys.prefix,
        sys.base_prefix,
        "/etc/ssl",
        "/usr/lib/ssl",
        "/usr/share/ca-certificates",
        "/usr/share/zoneinfo",
    )
)
READABLE_FILES: Final = frozenset({"/etc/localtime", "/etc/mime.types", os.devnull})
FORBIDDEN: Final = frozenset(
    {
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.fork",
        "os.forkpty",
        "os.remove",
        "os.rename",
        "os.mkdir",
        "os.rmdir",
        "os.link",
        "os.symlink",
        "os.truncate",
        "shutil.copyfile",
        "socket.bind",
    }
)


class Refused(OSError):
    """The hub does not let us connect there, or do that."""


class Outcome:
    """What was seen while one message was sent."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.after = ""
        self.body = ""
        self.refusal = ""
        self.trouble = ""

    def build(self, *, is_taken: bool) -> dict[str, Any]:
        """The answer to the hub."""
        return {
            "taken": is_taken,
            "statuses": self.statuses,
            "after": self.after[:64],
            "body": self.body[:LONGEST_SHOWN],
            "refusal": self.refusal,
            "trouble": self.trouble,
        }


class Line:
    """The way to the hub and back."""

    def __init__(self, source: TextIO, sink: TextIO) -> None:
        self._source = source
        self._sink = sink

    def read(self) -> dict[str, Any] | None:
        """The next request; None when the hub is gone."""
        line = self._source.readline()
        return json.loads(line) if line else None

    def write(self, answer: dict[str, Any]) -> None:
        """Say something to the hub."""
        self._sink.write(json.dumps(answer) + "\n")
        self._sink.flush()

    def refusal(self, host: str, port: int) -> str:
        """Ask whether a connection may be made; empty: it may."""
        self.write({"ask": host, "port": port})
        answer = self.read()
        return "the hub is gone" if answer is None else str(answer["refusal"])


class Guard:
    """An audit hook (PEP 578): it sees what every library here is about to do."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.outcome = Outcome()

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        """See what is about to happen; raises Refused to prevent it."""
        if event == "socket.connect":
            self._connect(args[0], args[1])
        elif event == "open":
            self._open(args[0], args[2])
        elif event in FORBIDDEN:
            self._refuse(f"a service wanted to do {event}")

    def _connect(self, opened: socket.socket, endpoint: Any) -> None:
        if opened.family not in {socket.AF_INET, socket.AF_INET6}:
            self._refuse("a service wanted a socket of this machine")
        refusal = self._line.refusal(str(endpoint[0]), int(endpoint[1]))
        if refusal:
            self._refuse(refusal)

    def _open(self, path: Any, flags: int) -> None:
        is_written = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC)
        if isinstance(path, int):
            return
        real = os.path.realpath(os.fsdecode(path))
        if not is_written and (real.startswith(READABLE) or real in READABLE_FILES):
            return
        self._refuse("a service wanted to open a file")

    def _refuse(self, why: str) -> None:
        self.outcome.refusal = why
        raise Refused(why)


def watched(guard: Guard) -> type[requests.adapters.HTTPAdapter]:
    """An adapter that notes how services answer, reads little, follows nothing, trusts nobody."""

    class Watched(requests.adapters.HTTPAdapter):
        def send(
            self, request: requests.PreparedRequest, *_args: Any, **options: Any
        ) -> requests.Response:
            """Send one request; TLS is always verified, and no proxy is used."""
            options |= {"stream": True, "verify": True, "proxies": {}}
            try:
                response = super().send(request, **options)
                # At most so much of it: whoever wants more finds the end.
                text = response.raw.read(MOST_ANSWER_BYTES, decode_content=True)
            except requests.exceptions.SSLError:
                guard.outcome.trouble = "tls"
                raise
            except (requests.exceptions.RequestException, OSError) as error:
                guard.outcome.trouble = guard.outcome.trouble or type(error).__name__
                raise
            response.raw.close()
            response.raw = io.BytesIO(text)
            response.headers.pop("Content-Encoding", None)
            response.headers.pop("Location", None)
            guard.outcome.statuses.append(response.status_code)
            guard.outcome.after = response.headers.get("Retry-After", "")
            guard.outcome.body = text.decode("utf-8", "replace")
            return response

    return Watched


def send(request: dict[str, Any], asset: AppriseAsset, guard: Guard) -> bool:
    """Send one message to one service; whether it was taken."""
    plugin = getattr(import_module(f"apprise.plugins.{request['module']}"), request["name"])
    parts = plugin.parse_url(request["address"]) or {}
    parts |= {"asset": asset, "redirect": "no", "verify": "yes", "rto": 10.0, "cto": 5.0}
    speaker = Apprise(asset=asset)
    try:
        speaker.add(plugin(**parts))
    except TypeError:  # how plug-ins say that something is missing or malformed
        guard.outcome.refusal = "the service's address cannot be used"
        return False
    attach_picture: Any = AttachMemory  # its constructor has no types
    picture = base64.b64decode(request["picture"])
    attached = (
        attach_picture(content=picture, name="alert.jpg", mimetype="image/jpeg", asset=asset)
        if picture and plugin.attachment_support
        else None
    )
    return bool(
        speaker.notify(
            body=request["body"],
            title=request["title"],
            notify_type=NotifyType(request["kind"]),
            body_format=NotifyFormat.TEXT,
            attach=attached,
        )
    )


def main() -> None:
    """Answer until the hub closes the line."""
    logging.disable(logging.CRITICAL)  # the library logs addresses
    line = Line(sys.stdin, sys.stdout)
    sys.stdout = sys.stderr  # what a library prints is not an answer
    guard = Guard(line)
    # Sessions make their adapters by this name; a library's own way to set one is per session.
    setattr(requests.sessions, "HTTPAdapter", watched(guard))  # noqa: B010  # no export of its own
    asset = AppriseAsset(
        app_id="Gengfu",
        app_desc="Gengfu",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask="",
        async_mode=False,
        http_redirects=False,
        secure_logging=True,
        pgp_autogen=False,
        pem_autogen=False,
        storage_mode="memory",
        allow_templates=False,
        service_timeout=0,
        timezone="UTC",
        language="en",
    )
    socket.setdefaulttimeout(SOCKET_TIMEOUT_S)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.addaudithook(guard)
    line.write({"ready": True})
    while (request := line.read()) is not None:
        guard.outcome = Outcome()
        try:
            is_taken = send(request, asset, guard)
        except Exception as error:  # noqa: BLE001  # a plug-in may raise anything; say so and go on
            guard.outcome.trouble = type(error).__name__
            is_taken = False
        line.write(guard.outcome.build(is_taken=is_taken))


if __name__ == "__main__":
    main()
