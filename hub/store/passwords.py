"""Passwords of people: argon2id (RFC 9106), computed in a few threads so that nothing else waits.

Holds no SQL; the hash never leaves :mod:`hub.store`.
"""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from hub.domain.errors import Invalid
from hub.domain.secrets import Secret

MIN_LENGTH = 10
# Longer ones are refused, so that nobody makes us hash megabytes.
MAX_LENGTH = 128
GENERATED_BYTES = 15  # 20 characters, 120 bits

# What manuals, images and guessers try first; compared without case and digits at the end.
SAMPLES = frozenset(
    {
        "admin", "administrator", "changeme", "changemenow", "default", "gengfu", "gengfuadmin",
        "guest", "hikvision", "iloveyou", "letmein", "operator", "passw0rd", "password", "qwerty",
        "qwertyuiop", "root", "sample", "secret", "supervisor", "test", "user", "welcome",
    }
)  # fmt: skip

# RFC 9106's second recommendation: 3 passes over 64 MiB; two at a time take 128 MiB.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=1)
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


@cache
def _nobody() -> str:
    """The hash of a random value nobody has: unknown users cost the same time as known ones.

    Made with the first password that is tried, whoever's it is: no short command waits for it.
    """
    return _HASHER.hash(secrets.token_urlsafe(32))


def generate_password() -> Secret:
    """Make a random password."""
    return Secret(secrets.token_urlsafe(GENERATED_BYTES))


def refuse_weak(password: Secret, *, user: str) -> None:
    """Refuse passwords that are short, known samples, or hold the user's name.

    Raises:
        Invalid: says what is wrong, never the password.
    """
    text = password.reveal()
    if not MIN_LENGTH <= len(text) <= MAX_LENGTH:
        msg = f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters"
        raise Invalid(msg, field="password")
    core = text.casefold().strip("0123456789!@#$%^&*._- ")
    has_name = len(user) >= 4 and user.casefold() in text.casefold()
    if core in SAMPLES or len(set(text)) < 5 or has_name or _is_a_run(text):
        msg = "this password is too easy to guess: use another one"
        raise Invalid(msg, field="password")


async def hash_password(password: Secret) -> str:
    """Hash for storing."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_THREADS, _HASHER.hash, password.reveal())


async def verify_password(stored_hash: str | None, password: Secret) -> bool:
    """Compare; takes the same time without a stored hash, and is then False."""
    loop = asyncio.get_running_loop()
    is_right = await loop.run_in_executor(
        _THREADS, _verify, stored_hash, password.reveal()[: MAX_LENGTH + 1]
    )
    return is_right and stored_hash is not None


def _verify(stored_hash: str | None, password: str) -> bool:
    nobody = _nobody()  # asked for in either case: the first of all must not tell, either
    try:
        return _HASHER.verify(stored_hash or nobody, password)
    except (Argon2Error, InvalidHashError):
        return False


def _is_a_run(text: str) -> bool:
    """Tell whether every character follows the one before: 1234567890, abcdefghij."""
    steps = {(ord(b) - ord(a)) % 10 for a, b in pairwise(text)}
    return len(steps) == 1
