"""Errors, named for the reaction they ask for.

A library's exceptions are translated into these in one function per adapter, with ``from``.
Messages are shown to operators: they say what happened and what to do, and never hold a secret.
"""


class GengfuError(Exception):
    """The root of every error this product raises on purpose."""


class ConfigError(GengfuError):
    """The settings cannot be used: refuse to start, or keep the old ones on reload."""


class DeviceError(GengfuError):
    """Raised out of ``Adapter.run``; the supervisor reacts by the subclass."""


class DeviceUnreachable(DeviceError):
    """No answer on the network: retry with back-off."""


class DeviceBusy(DeviceError):
    """The device asks for a pause: retry after a long one."""


class AuthRejected(DeviceError):
    """The device refuses the credentials: retry slowly (lock-out), tell the operator."""


class ProtocolViolation(DeviceError):
    """The device answers nonsense: retry with back-off and keep the offending bytes, masked."""

    def __init__(self, message: str, *, evidence: bytes = b"") -> None:
        super().__init__(message)
        self.evidence = evidence[:2048]


class UnsupportedByDevice(DeviceError):
    """The device cannot do what was asked: switch the capability off, never retry."""


class AddressRefused(DeviceError):
    """An address from outside is not one we connect to: log it, never retry it unchanged."""


class StoreUnavailable(GengfuError):
    """The database does not answer: buffer, then back-pressure; /readyz turns false."""


class DeliveryError(GengfuError):
    """A notification did not reach its receiver."""


class TryAgain(DeliveryError):
    """The receiver may accept the notification later; ``after_s`` is when it says so itself."""

    def __init__(self, message: str = "", *, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


class Rejected(DeliveryError):
    """The receiver refuses the notification for good."""


class RequestError(GengfuError):
    """A caller of the API or the command line asked for something that cannot be."""


class NotFound(RequestError):
    """It does not exist for this caller (404)."""


class Conflict(RequestError):
    """It contradicts what is there (409)."""


class NotPermitted(RequestError):
    """The caller holds no role that allows it (403)."""


class Invalid(RequestError):
    """The request makes no sense (422); ``field`` names the part that is wrong."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field
