"""What a program declares about its sessions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from fastapi_easy.domain.authentication.session import Session
from fastapi_easy.domain.principal import Principal

VerifyPassword: TypeAlias = Callable[[str, str], Awaitable[Principal | None]]
"""Returns whose username and password these are; `None` when they are wrong, or nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """Browsers log in with a username and a password: `sessions = Sessions(verify=…)` in a container.

    Attributes:
        verify: Returns whose username and password these are, or `None`. It has to take as long for an account that
            does not exist: let it check the password against a hash of nobody's.

        is_current: Asked for each call whether a session still counts: to log somebody out everywhere, or to refuse
            sessions from before a change of the password. Without it, only their age decides.

        path: Of the routes that log in, log out and say who has logged in, below the setting `http.prefix`.
    """

    verify: VerifyPassword
    is_current: Callable[[Session], Awaitable[bool]] | None = None
    path: str = "/session"
