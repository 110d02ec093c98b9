"""The simulated camera's gate: HTTP and RTSP Digest and Basic, from the server's side."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.secrets import Credentials, Secret
from hub.simulators.digest import NONCE_LIFE_S, Gate, Verdict, parse_parameters

NOW = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
PASSWORD = "camera-password"
LOGIN = Credentials(username="管理员", password=Secret(PASSWORD))
GATE = Gate(realm="Camera S1", key=b"key of the first")


def nonce_of(gate: Gate, now: datetime) -> str:
    return parse_parameters(gate.challenges(now)[0].partition(" ")[2])["nonce"]


def hashed(algorithm: str, text: str) -> str:
    return hashlib.new(algorithm.replace("-", ""), text.encode()).hexdigest()


def authorization(
    *,
    nonce: str,
    algorithm: str = "MD5",
    username: str = "管理员",
    password: str = PASSWORD,
    qop: str = "auth",
) -> str:
    """What a client sends, computed by the formulas of RFC 7616 section 3.4.1."""
    first = hashed(algorithm, f"{username}:Camera S1:{password}")
    second = hashed(algorithm, "DESCRIBE:rtsp://x/main")
    middle = f"{nonce}:00000001:abc:{qop}" if qop else nonce
    response = hashed(algorithm, f"{first}:{middle}:{second}")
    extra = f', qop={qop}, nc=00000001, cnonce="abc"' if qop else ""
    return (
        f'Digest username="{username}", realm="Camera S1", nonce="{nonce}", '
        f'uri="rtsp://x/main", algorithm={algorithm}, response="{response}"{extra}'
    )


def judge(header: str, *, gate: Gate = GATE, now: datetime = NOW) -> Verdict:
    return gate.judge(header, method="DESCRIBE", credentials=LOGIN, now=now)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("qop", ["auth", ""])
def test_passes_who_knows_the_password(algorithm: str, qop: str) -> None:
    header = authorization(nonce=nonce_of(GATE, NOW), algorithm=algorithm, qop=qop)
    assert judge(header) is Verdict.ACCEPTED
    assert GATE.judge(header, method="PLAY", credentials=LOGIN, now=NOW) is Verdict.REFUSED


def test_a_right_answer_to_an_old_challenge_is_stale_and_not_wrong() -> None:
    header = authorization(nonce=nonce_of(GATE, NOW))
    assert judge(header, now=NOW + timedelta(seconds=NONCE_LIFE_S)) is Verdict.ACCEPTED
    assert judge(header, now=NOW + timedelta(seconds=NONCE_LIFE_S + 1)) is Verdict.STALE
    assert all("stale=true" in one for one in GATE.challenges(NOW, is_stale=True))
    assert not any("stale" in one for one in GATE.challenges(NOW))


@pytest.mark.parametrize(
    "header",
    [
        authorization(nonce=nonce_of(GATE, NOW), password="other"),
        authorization(nonce=nonce_of(GATE, NOW), username="root"),
        authorization(nonce=nonce_of(Gate(realm="Camera S1", key=b"another"), NOW)),
        authorization(nonce="6921-0000"),
        authorization(nonce=""),
        authorization(nonce="ä"),
        authorization(nonce=nonce_of(GATE, NOW)).replace("MD5", "SHA-512"),
        authorization(nonce=nonce_of(GATE, NOW)).replace('response="', 'response="ä'),
        authorization(nonce=nonce_of(GATE, NOW)).replace("Camera S1", "\udcff"),
        "Digest",
        "Digest \udcff",
        "Bearer x",
        "x",
    ],
)
def test_refuses_everything_else(header: str) -> None:
    assert judge(header) is Verdict.REFUSED


def test_asks_first() -> None:
    assert judge("") is Verdict.MISSING


def test_basic_counts_only_where_it_is_offered() -> None:
    lax = Gate(realm="Camera S1", key=b"k", offers_basic=True)
    right = base64.b64encode("管理员:camera-password".encode()).decode()
    wrong = base64.b64encode("管理员:other".encode()).decode()
    assert judge(f"Basic {right}", gate=lax) is Verdict.ACCEPTED
    assert judge(f"Basic {right}") is Verdict.REFUSED
    assert not any(one.startswith("Basic") for one in GATE.challenges(NOW))
    for odd in (wrong, "====", "ä", "\udcff", ""):
        assert judge(f"Basic {odd}", gate=lax) is Verdict.REFUSED
