"""What the adapter does to a broker's socket behind paho's back: look ahead, and hang up well."""

import asyncio
import socket
import ssl

SIGN_OFF_S = 0.5  # for the broker to read our last acknowledgements and hang up
PEEK_BYTES = 1024
_DISCONNECT = b"\xe0\x00"  # the same in both versions: normal end, keep the session


def has_decrypted(sock: object) -> bool:
    """Whether TLS holds bytes that the event loop cannot see."""
    return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0


def peek(sock: object) -> bytes | None:
    """The bytes waiting in a plain socket, left there; empty for none yet.

    None when that cannot be told: on TLS, on an error, at the end. Then reading tells.
    """
    if not isinstance(sock, socket.socket) or isinstance(sock, ssl.SSLSocket):
        return None
    try:
        return sock.recv(PEEK_BYTES, socket.MSG_PEEK) or None
    except BlockingIOError:
        return b""
    except OSError:
        return None


async def sign_off(sock: socket.socket) -> None:
    """Send DISCONNECT and read until the broker has closed, or for half a second.

    Closing with bytes unread would reset the connection, and the broker would throw away
    acknowledgements that it has not read yet. The socket is left for the caller to close.
    """
    loop = asyncio.get_running_loop()
    is_readable = asyncio.Event()
    fd = sock.fileno()
    try:
        sock.send(_DISCONNECT)
        sock.shutdown(socket.SHUT_WR)
        loop.add_reader(fd, is_readable.set)
        async with asyncio.timeout(SIGN_OFF_S):
            while _is_open(sock):
                is_readable.clear()
                await is_readable.wait()
    except (OSError, TimeoutError):
        return
    finally:
        loop.remove_reader(fd)


def _is_open(sock: socket.socket) -> bool:
    """Throw away what is there to read; False once the other side has closed."""
    try:
        while sock.recv(65_536):
            pass
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    return False
