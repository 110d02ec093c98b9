"""A value that must not be seen: it hides itself from repr, str, format and logs."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """A password or token; only :meth:`reveal` shows it."""

    _value: str = field(default="", repr=False)

    def reveal(self) -> str:
        """Return the plain value, at the one place that puts it on the wire."""
        return self._value

    def __str__(self) -> str:
        return "***" if self._value else ""

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __bool__(self) -> bool:
        return bool(self._value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a device or a broker asks for; both empty means anonymous."""

    username: str = ""
    password: Secret = field(default_factory=Secret)
