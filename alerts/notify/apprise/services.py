"""Which of Apprise's services may be used, and the form of their addresses. Pure.

An allow-list: Apprise also has services that run programs, load modules, write to the console or
speak protocols on sockets of their own. Of an address only its form is checked here; to which
host it leads is checked at every connect (see :mod:`alerts.notify.apprise.worker`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote

LONGEST_ADDRESS = 1024
MOST_ADDRESSES = 10
_NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One of Apprise's services.

    ``longest`` is how many bytes of text it takes. Some answer HTTP 200 and put the refusal into
    a field of the JSON: ``success`` is that field with its value for success, ``later`` are its
    values that ask for patience.
    """

    module: str
    name: str
    longest: int
    success: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    later: frozenset[int] = frozenset()


_WECOM = Service(
    module="wecombot",
    name="NotifyWeComBot",
    longest=2_000,
    success={"errcode": 0},
    later=frozenset({-1, 45009}),  # busy; more than 20 messages a minute
)
_DINGTALK = Service(
    module="dingtalk",
    name="NotifyDingTalk",
    longest=15_000,
    success={"errcode": 0},
    later=frozenset({-1, 130101, 410100}),  # more than 20 messages a minute
)
_FEISHU = Service(
    module="feishu",
    name="NotifyFeishu",
    longest=15_000,
    success={"code": 0},
    later=frozenset({9499, 11232}),  # more than 100 messages a minute
)
_NTFY = Service(module="ntfy", name="NotifyNtfy", longest=3_500)
_BARK = Service(module="bark", name="NotifyBark", longest=2_500, success={"code": 200})
_GOTIFY = Service(module="gotify", name="NotifyGotify", longest=15_000)
_MATTERMOST = Service(module="mattermost", name="NotifyMattermost", longest=3_800)
_ROCKET_CHAT = Service(module="rocketchat", name="NotifyRocketChat", longest=900)
_MATRIX = Service(module="matrix", name="NotifyMatrix", longest=15_000)
_TEAMS = Service(module="workflows", name="NotifyWorkflows", longest=900)

# By the scheme of the address.
SERVICES: Final[Mapping[str, Service]] = MappingProxyType(
    {
        "wecombot": _WECOM,
        "dingtalk": _DINGTALK,
        "feishu": _FEISHU,
        "lark": Service(
            module="lark",
            name="NotifyLark",
            longest=15_000,
            success={"code": 0},
            later=frozenset({9499, 11232}),
        ),
        "schan": Service(
            module="serverchan", name="NotifyServerChan", longest=15_000, success={"code": 0}
        ),
        "pushplus": Service(module="pushplus", name="NotifyPushplus", longest=15_000),
        "wxpusher": Service(module="wxpusher", name="NotifyWxPusher", longest=15_000),
        "bark": _BARK,
        "barks": _BARK,
        "tgram": Service(module="telegram", name="NotifyTelegram", longest=3_800),
        "ntfy": _NTFY,
        "ntfys": _NTFY,
        "slack": Service(module="slack", name="NotifySlack", longest=15_000),
        "workflow": _TEAMS,
        "workflows": _TEAMS,
        "discord": Service(module="discord", name="NotifyDiscord", longest=1_800),
        "matrix": _MATRIX,
        "matrixs": _MATRIX,
        "pover": Service(module="pushover", name="NotifyPushover", longest=900),
        "gotify": _GOTIFY,
        "gotifys": _GOTIFY,
        "mmost": _MATTERMOST,
        "mmosts": _MATTERMOST,
        "rocket": _ROCKET_CHAT,
        "rockets": _ROCKET_CHAT,
        "zulip": Service(module="zulip", name="NotifyZulip", longest=9_000),
        "gchat": Service(module="google_chat", name="NotifyGoogleChat", longest=3_800),
    }
)
# What could read a file, lead elsewhere, weaken TLS, keep something on disk, or hold the hub up.
# Prefixed keys (headers and fields of one's own) are refused by the form of a key.
_REFUSED_KEYS: Final = frozenset(
    {
        "template",
        "attach",
        "attachment",
        "file",
        "config",
        "redirect",
        "verify",
        "store",
        "retry",
        "wait",
        "rto",
        "cto",
        "tag",
        "tags",
        "overflow",
        "tz",
        "optional",
        "emojis",
        "schema",
        "host",
        "port",
        "user",
        "pass",
        "password",
        "e2ee",
        "avatar_url",
        "icon_url",
        "image_url",
        "delay",
        "email",
        "actions",
        "click",
        "url",
        "href",
    }
)
_ADDRESS: Final = re.compile(
    r"(?P<scheme>[a-z]{2,16})://(?P<rest>[A-Za-z0-9\-._~%!$&'()*+,=:@/?\[\]]+)\Z"
)
_KEY: Final = re.compile(r"[a-z0-9_]{1,32}\Z")


def split_addresses(text: str) -> tuple[str, ...]:
    """The addresses in a receiver's secret, separated by spaces or lines."""
    return tuple(text.split())


def check_addresses(text: str) -> None:
    """Check all of a receiver's addresses.

    Raises:
        ValueError: saying which one (by its place) and why; it never repeats any of it.
    """
    addresses = split_addresses(text)
    if not 1 <= len(addresses) <= MOST_ADDRESSES:
        msg = f"give between 1 and {MOST_ADDRESSES} addresses, separated by spaces or lines"
        raise ValueError(msg)
    for place, address in enumerate(addresses, start=1):
        why = refusal(address)
        if why:
            msg = f"address {place}: {why}"
            raise ValueError(msg)


def refusal(address: str) -> str:
    """Why this address cannot be used; empty when it can."""
    found = _ADDRESS.match(address) if len(address) <= LONGEST_ADDRESS else None
    if found is None:
        return "not an address of the form service://token: check for blanks and odd characters"
    if found["scheme"] not in SERVICES:
        return "this service is not one the hub speaks to; it may be one of " + ", ".join(SERVICES)
    # Twice: the library decodes what it has decoded.
    decoded = unquote(unquote(found["rest"]))
    if not decoded.isprintable() or any(character in decoded for character in ' \\<>"`;{}|^'):
        return "it hides characters that no address of a service needs"
    _, has_query, query = found["rest"].partition("?")
    keys = [part.partition("=")[0] for part in query.split("&")] if has_query else []
    if "?" in query or any(not _KEY.match(key) for key in keys if key):
        return "its options behind the question mark cannot be read"
    return f"the option {min(taken)} is not allowed" if (taken := _REFUSED_KEYS & {*keys}) else ""


def service_of(address: str) -> Service:
    """The service of an address that was checked."""
    return SERVICES[address.partition("://")[0]]
