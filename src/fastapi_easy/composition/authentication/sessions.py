"""The sessions of browsers, and what counts attempts to log in."""

import datetime

from fastapi_easy.application.authentication.sessions.declaration import Sessions
from fastapi_easy.application.authentication.sessions.log_in import LogInHandler
from fastapi_easy.application.authentication.sessions.log_out import LogOutHandler
from fastapi_easy.application.authentication.sessions.session_use_cases import SessionUseCases
from fastapi_easy.application.authentication.sessions.throttle import Throttle
from fastapi_easy.domain.authentication.session import SessionRules
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import AttemptCounter, AttemptLimit, Clock, EventBus
from fastapi_easy.settings import Settings

__all__ = ["open_attempt_counter", "open_sessions"]

_SHORTEST_SECRET = 32
"""Characters of a secret that signs sessions at least."""


def open_attempt_counter(settings: Settings, clock: Clock) -> AttemptCounter:
    """Return what counts attempts to log in; nothing is connected yet.

    Raises:
        DeclarationError: The URL cannot be used, or its driver is not installed.
    """
    url = settings.authentication.sessions.attempts_url
    if url is None:
        from fastapi_easy.infrastructure.authentication.sessions.memory_attempts import MemoryAttemptCounter

        return MemoryAttemptCounter(clock)
    address = url.get_secret_value()
    if not address.startswith(("redis:", "rediss:", "unix:")):
        raise DeclarationError(
            ["authentication.sessions.attempts_url: attempts are counted in Redis: write redis://host/0"]
        )
    try:
        from fastapi_easy.infrastructure.authentication.sessions.redis_attempts import RedisAttemptCounter
    except ModuleNotFoundError as error:
        raise DeclarationError(
            [f'{error.name} is not installed: pip install "fastapi_easy[redis]"']
        ) from error
    return RedisAttemptCounter(address)


def open_sessions(
    settings: Settings, declared: Sessions | None, counter: AttemptCounter, clock: Clock, events: EventBus
) -> SessionUseCases | None:
    """Return the sessions of an application; `None` when it declares none.

    Raises:
        DeclarationError: There is no secret to sign them with, it is too short, or a library is not installed.
    """
    if declared is None:
        return None
    try:
        from fastapi_easy.infrastructure.authentication.sessions.signed_codec import SignedSessionCodec
    except ModuleNotFoundError as error:
        raise DeclarationError(
            [f'{error.name} is not installed: pip install "fastapi_easy[sessions]"']
        ) from error
    from fastapi_easy.infrastructure.authentication.sessions.authenticator import SessionAuthenticator

    chosen = settings.authentication.sessions
    codec = SignedSessionCodec(_secrets_of(settings))
    rules = SessionRules(
        lifetime=datetime.timedelta(seconds=chosen.lifetime), idle=datetime.timedelta(seconds=chosen.idle)
    )
    throttle = Throttle(
        counter,
        AttemptLimit(**chosen.attempts.model_dump()),
        AttemptLimit(**chosen.address_attempts.model_dump()),
    )
    cookie = "__Host-session" if chosen.secure else "session"
    return SessionUseCases(
        log_in=LogInHandler(declared.verify, throttle, clock, events),
        log_out=LogOutHandler(clock, events),
        authenticator=SessionAuthenticator(codec, rules, clock, cookie, declared.is_current),
        codec=codec,
        rules=rules,
        clock=clock,
        path=declared.path,
        is_secure=chosen.secure,
    )


def _secrets_of(settings: Settings) -> list[str]:
    given = settings.authentication.sessions.secrets or (
        () if settings.secret is None else (settings.secret,)
    )
    secrets = [each.get_secret_value() for each in given]
    if not secrets:
        raise DeclarationError(
            [
                (
                    "browser_sessions: there is no secret to sign sessions with: set FASTAPI_EASY_SECRET to at least "
                    f"{_SHORTEST_SECRET} random characters"
                )
            ]
        )
    if any(len(each) < _SHORTEST_SECRET for each in secrets):
        raise DeclarationError(
            [
                (
                    f"browser_sessions: a secret has fewer than {_SHORTEST_SECRET} characters, and could be guessed "
                    "from a cookie: use longer random ones"
                )
            ]
        )
    return secrets
