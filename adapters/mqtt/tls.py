"""TLS to the broker: a site's authority, the hub's own certificate, or one pinned certificate.

The endpoint connected to is an IP address that the address policy has approved; the name that the
certificate must bear is the one in the connection's address. Both come together here.
"""

import hashlib
import hmac
import socket
import ssl

from adapters.mqtt.options import TlsOptions
from hub.domain.errors import AuthRejected


class PinMismatch(ssl.SSLError):
    """The broker showed another certificate than the pinned one."""


class _BrokerContext(ssl.SSLContext):
    """Verifies ``broker_name`` whatever address the socket was connected to."""

    broker_name: str = ""
    pin: bytes = b""

    def wrap_socket(  # the signature is the standard library's
        self,
        sock: socket.socket,
        server_side: bool = False,  # noqa: FBT001, FBT002 - the standard library's signature
        do_handshake_on_connect: bool = True,  # noqa: FBT001, FBT002 - likewise
        suppress_ragged_eofs: bool = True,  # noqa: FBT001, FBT002 - likewise
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        del server_hostname
        return super().wrap_socket(
            sock,
            server_side=server_side,
            do_handshake_on_connect=do_handshake_on_connect,
            suppress_ragged_eofs=suppress_ragged_eofs,
            server_hostname=self.broker_name,
            session=session,
        )


class _BrokerSocket(ssl.SSLSocket):
    """Compares a pinned certificate before a single byte, the password among them, is sent."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as inherited
        try:
            super().do_handshake(block)
            self._compare_pin()
        except (OSError, ValueError):
            self.close()  # paho forgets a socket whose handshake failed
            raise

    def _compare_pin(self) -> None:
        context = self.context
        if not isinstance(context, _BrokerContext) or not context.pin:
            return
        shown = hashlib.sha256(self.getpeercert(binary_form=True) or b"").digest()
        if not hmac.compare_digest(shown, context.pin):
            msg = "the broker shows another certificate than the pinned one"
            raise PinMismatch(msg)


def build_context(options: TlsOptions, *, broker_name: str) -> ssl.SSLContext:
    """Build the context; reads files, so call it off the event loop.

    Raises:
        AuthRejected: a certificate or key file cannot be used.
    """
    context = _BrokerContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.broker_name = broker_name
    context.sslsocket_class = _BrokerSocket
    try:
        if options.pinned_sha256 is not None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.pin = bytes.fromhex(options.pinned_sha256.replace(":", ""))
        elif options.ca_file is not None:
            context.load_verify_locations(cafile=options.ca_file)
        else:
            context.load_default_certs()
        if options.cert_file is not None:
            # The callback refuses keys behind a passphrase; OpenSSL would ask the terminal.
            context.load_cert_chain(options.cert_file, options.key_file, password=lambda: b"")
    except (OSError, ssl.SSLError, ValueError) as error:
        msg = f"the TLS files of the connection cannot be used: {error}"
        raise AuthRejected(msg) from error
    return context
