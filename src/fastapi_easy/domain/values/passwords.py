"""Passwords, and the hashes that are stored in their place."""

from typing import Any, Final

from fastapi_easy.domain.values.kind_format import ParseError

MIN_PASSWORD: Final = 8
"""Characters, unless the class asks for another number (NIST SP 800-63B, 3.1.1.2)."""

MAX_PASSWORD: Final = 1024
"""Bytes in UTF-8, so that nobody keeps a processor busy with one."""

HASH_LENGTH: Final = 128
"""Characters that a column for hashes must hold."""


class PasswordHash(str):
    """A text that is the hash of a password, and not a password.

    Repositories read hashes as these, and write these as they are. What is a plain text is taken for a password and
    hashed, whatever it looks like.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        """Return its type alone: a hash can be tried offline."""
        return "PasswordHash(…)"


def check_password(value: Any) -> None:
    """Check the length of a password.

    Raises:
        ParseError: It is too long.
    """
    if len(value.encode("utf-8", "surrogatepass")) > MAX_PASSWORD:
        raise ParseError(f"Must have at most {MAX_PASSWORD} bytes", "password_too_long")
