"""Debian's GStreamer RTSP server as a camera that nobody here wrote.

Run as a program by /usr/bin/python3 (it needs python3-gi and the GStreamer typelibs): writes
one line of JSON with its ports and serves until stdin closes. Paths: ``/open`` without a
password, ``/live`` with HTTP Digest (MD5), ``/basic`` with Basic, ``/h265`` without a password.
"""

import json
import sys
import threading
from typing import Protocol

import gi  # type: ignore[import-not-found]  # Debian's python3-gi is not in the venv

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import (  # type: ignore[import-not-found]  # noqa: E402 - versions come first
    GLib,
    Gst,
    GstRtsp,
    GstRtspServer,
)

ALLOWED = (True,)
SOURCE = (
    "videotestsrc is-live=true pattern=smpte"
    " ! video/x-raw,width=640,height=360,framerate=10/1,format=I420"
)
H264 = (
    f"( {SOURCE} ! x264enc tune=zerolatency key-int-max=5 speed-preset=ultrafast"
    " ! rtph264pay name=pay0 pt=96 config-interval=1 )"
)
H265 = (
    f"( {SOURCE} ! x265enc tune=zerolatency key-int-max=5 speed-preset=ultrafast"
    " ! rtph265pay name=pay0 pt=96 config-interval=1 )"
)


class Server(Protocol):
    """The part of GstRtspServer.RTSPServer that is used here."""

    def get_bound_port(self) -> int: ...


def build_auth(method: object, user: str, password: str) -> object:
    """Return an authenticator that knows one user."""
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(method)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    if method == GstRtsp.RTSPAuthMethod.BASIC:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    else:
        auth.add_digest(user, password, token)
    return auth


def serve(method: object, paths: dict[str, str], user: str, password: str) -> Server:
    """Start one server on a free port of 127.0.0.1 and return it."""
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    if method is not None:
        server.set_auth(build_auth(method, user, password))
    for path, launch in paths.items():
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(launch)
        factory.set_shared(True)
        if method is not None:
            permissions = GstRtspServer.RTSPPermissions()
            for right in ("media.factory.access", "media.factory.construct"):
                permissions.add_permission_for_role("user", right, *ALLOWED)
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(path, factory)
    server.attach(None)
    started: Server = server
    return started


def main() -> None:
    """Serve until stdin closes."""
    user, password = sys.stdin.readline().split()
    Gst.init(None)
    has_h265 = Gst.ElementFactory.find("x265enc") is not None
    paths = {"/live": H264, **({"/h265": H265} if has_h265 else {})}
    servers = {
        "open": serve(None, paths, user, password),
        "digest": serve(GstRtsp.RTSPAuthMethod.DIGEST, paths, user, password),
        "basic": serve(GstRtsp.RTSPAuthMethod.BASIC, paths, user, password),
    }
    ports = {name: server.get_bound_port() for name, server in servers.items()}
    sys.stdout.write(json.dumps({**ports, "has_h265": has_h265}) + "\n")
    sys.stdout.flush()
    loop = GLib.MainLoop()

    def stop_at_end() -> None:
        sys.stdin.read()
        loop.quit()

    threading.Thread(target=stop_at_end, daemon=True).start()
    loop.run()


if __name__ == "__main__":
    main()
