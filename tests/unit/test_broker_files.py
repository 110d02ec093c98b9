"""Users and rights of the embedded broker: one pair of files for two brokers."""

import pytest

from hub.domain.errors import Invalid
from hub.runtime.amqtt_process import READING, WRITING, Directory, covers, parse_acl, verify
from hub.runtime.broker_files import ACL, build_settings, check_username, hash_password

# Made by mosquitto_passwd 2.0.11 for the password "night watch".
FROM_MOSQUITTO_PASSWD = (
    "$7$101$nMu018cOVZohGA6G$mQlDOirQBnTaygvwlFwAvoYt8Vl0e66901DX"
    "vxGCjrYXJ0+l3+tFG8zfjmq2XKGkfDJ25Yo+X5Gr5QpFivS60g=="
)


def test_a_hash_made_by_mosquittos_own_tool_is_understood() -> None:
    assert verify("night watch", FROM_MOSQUITTO_PASSWD)
    assert not verify("night watc", FROM_MOSQUITTO_PASSWD)


def test_a_hash_depends_on_password_salt_and_rounds() -> None:
    made = hash_password("x", salt=b"0" * 12)
    assert verify("x", made)
    assert not verify("y", made)
    others = {
        hash_password("x", salt=b"1" * 12),
        hash_password("x", salt=b"0" * 12, rounds=101),
        hash_password("y", salt=b"0" * 12),
    }
    assert made not in others
    assert len(others) == 3


@pytest.mark.parametrize("stored", ["", "x", "$7$", "$7$a$b$c", "$6$101$AAAA$AAAA", "$7$1$é$é"])
def test_a_damaged_hash_lets_nobody_in(stored: str) -> None:
    assert not verify("", stored)
    assert not verify("x", stored)


@pytest.mark.threat("T30")
@pytest.mark.parametrize(
    ("user", "topic", "may_write", "may_read"),
    [
        ("hub", "gengfu/v1/a/reading", True, True),
        ("hub", "#", True, True),
        ("hub", "$SYS/broker/uptime", False, True),
        ("simulators", "gengfu/v1/a/reading", True, False),
        ("simulators", "gengfu/v1/+/command", True, True),
        ("simulators", "homeassistant/a", False, False),
        ("well-1", "gengfu/v1/well-1/reading", True, True),
        ("well-1", "gengfu/v1/well-1/#", True, True),
        ("well-1", "gengfu/v1/well-10/reading", False, False),
        ("well-1", "gengfu/v1/well-2/reading", False, False),
        ("well-1", "gengfu/v1/+/reading", False, False),
        ("well-1", "gengfu/v1/#", False, False),
        ("well-1", "#", False, False),
        ("", "gengfu/v1/well-1/reading", False, False),
        ("", "gengfu/v1//reading", False, False),
        (None, "gengfu/v1//reading", False, False),
    ],
)
def test_who_may_do_what(user: str | None, topic: str, may_write: bool, may_read: bool) -> None:  # noqa: FBT001  # columns of a table
    directory = Directory(rules=parse_acl(ACL))
    assert directory.allows(user, topic, WRITING) == may_write
    assert directory.allows(user, topic, READING) == may_read


def test_without_a_password_file_nobody_is_accepted() -> None:
    assert not Directory().accepts(None, None)
    assert not Directory().accepts("hub", "")


@pytest.mark.parametrize(
    ("allowed", "asked", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a", False),
        ("a", "a/b", False),
        ("a/+", "a/b", True),
        ("a/+", "a/+", True),
        ("a/+", "a/#", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "$SYS/x", False),
        ("+/x", "#", False),
    ],
)
def test_a_filter_covers_what_it_names(allowed: str, asked: str, expected: bool) -> None:  # noqa: FBT001  # columns of a table
    assert covers(allowed, asked) is expected


@pytest.mark.threat("T10")
@pytest.mark.parametrize("name", ["", "a\nb", "a:b", "a/b", "+", "#", "%u", " a", "a" * 65])
def test_a_user_name_with_a_meaning_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        check_username(name)


def test_the_settings_hold_the_port_on_loopback_and_no_default_limits() -> None:
    lines = build_settings(18830).splitlines()
    assert "listener 18830 127.0.0.1" in lines
    assert "allow_anonymous false" in lines
    assert "max_queued_messages 0" in lines
    assert "max_inflight_messages 20000" in lines
