"""What is kept outside of this process is encrypted, with a key that the store does not have."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Seal:
    """Fernet: AES-128-CBC and HMAC-SHA256. Who reads the store learns nothing, and who writes to it is found out.

    The first of ``keys`` (32 bytes each, in URL-safe base64) seals; all of them open, so that a key can be replaced.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, text: str, about: str) -> str:
        """``text``, which is opened only as being ``about`` the same."""
        return self._fernet.encrypt(f"{about}\n{text}".encode()).decode()

    def open(self, sealed: str, about: str) -> str | None:
        """What was sealed; ``None`` if it was not, by these keys, or is about something else."""
        try:
            told, _, text = self._fernet.decrypt(sealed).decode().partition("\n")
        except InvalidToken:
            return None
        return text if told == about else None
