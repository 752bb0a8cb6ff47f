"""The cookies of a session: its signed text, which no script reads, and the token that scripts send back."""

from dataclasses import dataclass
from typing import Final

Header = tuple[bytes, bytes]

_SET_COOKIE: Final = b"set-cookie"


@dataclass(frozen=True, slots=True)
class SessionCookies:
    """Writes the cookies of sessions.

    With `__Host-` in front of their names browsers accept them only over HTTPS, for the whole host and from no other.

    Attributes:
        session: The name of the cookie with the session.

        is_secure: Whether cookies are sent over HTTPS only.
    """

    session: str
    is_secure: bool

    @property
    def csrf(self) -> str:
        """The name of the cookie with the token."""
        return "__Host-csrf" if self.is_secure else "csrf"

    def store(self, text: str, csrf_token: str, seconds: int) -> tuple[Header, ...]:
        """Return the headers that give a browser a session for so many *seconds*."""
        return (
            self._header(self.session, text, seconds, "; HttpOnly"),
            self._header(self.csrf, csrf_token, seconds, ""),
        )

    def clear(self) -> tuple[Header, ...]:
        """Return the headers that make a browser forget its session."""
        return (self._header(self.session, "", 0, "; HttpOnly"), self._header(self.csrf, "", 0, ""))

    def _header(self, name: str, value: str, seconds: int, only: str) -> Header:
        secure = "; Secure" if self.is_secure else ""
        cookie = f"{name}={value}; Path=/; Max-Age={seconds}; SameSite=Lax{secure}{only}"
        return _SET_COOKIE, cookie.encode("ascii")
