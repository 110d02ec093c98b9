"""Seals device passwords before they reach the database (AES-256-GCM, NIST SP 800-38D)."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.domain.errors import ConfigError
from hub.domain.secrets import Secret

KEY_BYTES = 32
NONCE_BYTES = 12


class Vault:
    """Holds the key. Losing the key file loses the device passwords, nothing else."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._pseudonyms = hashlib.sha256(b"pseudonyms" + key).digest()

    @classmethod
    def open(cls, key_file: Path) -> "Vault":
        """Read the key, making a random one at the first start.

        Raises:
            ConfigError: when the file cannot be read or written, or holds no key.
        """
        try:
            if not key_file.exists():
                _create(key_file)
            text = key_file.read_text(encoding="ascii").strip()
            key = bytes.fromhex(text)
        except OSError as error:
            msg = f"secrets.key_file {key_file}: {error.strerror}; check the path and its owner"
            raise ConfigError(msg) from error
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            msg = (
                f"secrets.key_file {key_file} holds no key ({KEY_BYTES} bytes in hexadecimal): "
                "restore it from the back-up; without it the stored device passwords are lost"
            )
            raise ConfigError(msg)
        return cls(key)

    def seal(self, secret: Secret) -> bytes | None:
        """Encrypt; None for an empty secret."""
        if not secret:
            return None
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.reveal().encode(), None)

    def unseal(self, sealed: bytes | None) -> Secret:
        """Decrypt.

        Raises:
            ConfigError: when the key does not fit what was sealed.
        """
        if sealed is None:
            return Secret()
        try:
            plain = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
        except InvalidTag:
            msg = (
                "secrets.key_file does not fit the stored device passwords: "
                "restore the key that belongs to this database"
            )
            raise ConfigError(msg) from None
        return Secret(plain.decode())

    def pseudonym(self, text: str) -> str:
        """A name that is the same for the same text, and tells nobody the text (HMAC-SHA-256)."""
        return hmac.new(self._pseudonyms, text.encode(), hashlib.sha256).hexdigest()[:16]


def _create(key_file: Path) -> None:
    key_file.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(key_file, flags, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
