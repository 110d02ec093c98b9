"""Says why an address cannot be listened on, in words that name it."""

import errno
import os

from hub.domain.errors import ConfigError


def cannot_listen(error: OSError, *, what: str, host: str, port: int) -> ConfigError:
    """Translate what the operating system said when ``what`` tried to listen."""
    number = error.errno or 0
    if number == errno.EADDRINUSE:
        why = "another program uses it: end that one, or choose another port"
    elif number == errno.EADDRNOTAVAIL:
        why = "this machine does not have the address: use one of 127.0.0.0/8 (Linux)"
    else:
        why = os.strerror(number) if number else str(error)
    return ConfigError(f"{what} cannot listen on {host}:{port}: {why}")
