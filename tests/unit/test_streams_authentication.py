"""Digest and Basic: the RFC's own examples, and challenges as cameras write them."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.errors import AuthRejected, UnsupportedByDevice
from hub.domain.secrets import Credentials, Secret
from streams.authentication import (
    Challenge,
    build_authorization,
    choose_challenge,
    parse_challenges,
)

MUFASA = Credentials(username="Mufasa", password=Secret("Circle of Life"))
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digest_matches_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    (challenge,) = parse_challenges([RFC_7616.format(algorithm=algorithm)])
    value = build_authorization(
        challenge, MUFASA, method="GET", uri="/dir/index.html", nonce_use=(CNONCE, 1)
    )
    assert f'response="{response}"' in value
    assert f"algorithm={algorithm}" in value
    assert "qop=auth, nc=00000001" in value
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in value


def test_digest_without_qop_is_rfc_2069() -> None:
    (challenge,) = parse_challenges(['Digest realm="r",nonce="n"'])
    value = build_authorization(
        challenge, MUFASA, method="DESCRIBE", uri="rtsp://h/", nonce_use=("c", 1)
    )
    ha1 = hashlib.md5(b"Mufasa:r:Circle of Life").hexdigest()  # noqa: S324 - the standard's
    ha2 = hashlib.md5(b"DESCRIBE:rtsp://h/").hexdigest()  # noqa: S324 - the standard's
    expected = hashlib.md5(f"{ha1}:n:{ha2}".encode()).hexdigest()  # noqa: S324 - the standard's
    assert f'response="{expected}"' in value
    assert "nc=" not in value


def test_strongest_scheme_wins_in_one_or_many_headers() -> None:
    values = [
        'Basic realm="IP Camera", Digest realm="a, b", nonce="1", algorithm=MD5',
        'Digest realm="a, b", nonce="2", algorithm=SHA-256',
    ]
    challenges = parse_challenges(values)
    assert [challenge.scheme for challenge in challenges] == ["basic", "digest", "digest"]
    assert challenges[1].parameters["realm"] == "a, b"
    assert choose_challenge(challenges).parameters["nonce"] == "2"
    assert choose_challenge(challenges[:2]).parameters["nonce"] == "1"
    assert choose_challenge(challenges[:1]).scheme == "basic"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Negotiate",
        'Digest realm="r"',
        'Digest nonce="n", algorithm=MD4',
        'Digest nonce="n", qop="auth-int"',
        "\x00\xff,,,=",
    ],
)
def test_what_cannot_be_answered_is_unsupported(value: str) -> None:
    with pytest.raises(UnsupportedByDevice):
        choose_challenge(parse_challenges([value]))


def test_stale_is_read() -> None:
    (challenge,) = parse_challenges(['Digest realm="r", nonce="n", stale=TRUE'])
    assert challenge.is_stale


def test_quotes_in_names_cannot_leave_their_field() -> None:
    value = build_authorization(
        Challenge(scheme="digest", parameters={"nonce": 'n"x', "realm": "r\\"}),
        Credentials(username='a", uri="/x', password=Secret("p")),
        method="GET",
        uri="/",
        nonce_use=("c", 1),
    )
    assert 'username="a\\", uri=\\"/x"' in value
    assert 'nonce="n\\"x"' in value
    assert 'realm="r\\\\"' in value


@pytest.mark.parametrize(
    ("scheme", "username"), [("basic", "a:b"), ("digest", "a\r\nX: y"), ("digest", "更夫")]
)
def test_user_names_that_cannot_be_sent(scheme: str, username: str) -> None:
    with pytest.raises(AuthRejected):
        build_authorization(
            Challenge(scheme=scheme, parameters={"nonce": "n"}),
            Credentials(username=username, password=Secret("p")),
            method="GET",
            uri="/",
            nonce_use=("c", 1),
        )


@pytest.mark.threat("K8")
@settings(max_examples=400, deadline=None, database=None)
@given(
    st.lists(
        st.lists(
            st.sampled_from(
                ["Digest", "Basic", " ", ",", "=", '"', "\\", "nonce", "realm", "qop", "é", "\x00"]
            )
        ).map("".join),
        max_size=5,
    )
)
def test_no_challenge_crashes_the_parser(values: list[str]) -> None:
    challenges = parse_challenges(values)
    assert all(challenge.strength >= 0 for challenge in challenges)


@pytest.mark.timeout(5)
def test_hostile_challenge_takes_no_time() -> None:
    parse_challenges(['Digest a="' + "\\" * 4000, "," * 4000, " " * 4000, "a" * 4000] * 100)
