"""What a session of PostgreSQL is told: once for all, or with each transaction."""

from typing import Final

from fastapi_easy.infrastructure.relational.options import ConnectionOptions

IDLE_IN_TRANSACTION_TIMEOUT: Final = 15
"""Seconds after which PostgreSQL and MariaDB end an idle transaction; MySQL never does."""

_TRANSACTION_TIMEOUT_SINCE: Final = 17_00_00
"""The first version of PostgreSQL with a limit for a whole transaction."""


def session_settings(options: ConnectionOptions) -> str:
    """Return the query that sets everything for the rest of the session.

    A statement and not start-up options, which poolers refuse.
    """
    isolation = {"default_transaction_isolation": "read committed"}
    return _setting({**_settings(options), **isolation}, options, is_local=False)


def begin_with_settings(options: ConnectionOptions) -> str:
    """Return the commands that begin a transaction and set everything until its end; sent as one message."""
    return f"BEGIN ISOLATION LEVEL READ COMMITTED; {_setting(_settings(options), options, is_local=True)}"


def _settings(options: ConnectionOptions) -> dict[str, str]:
    return {
        "TimeZone": "UTC",
        # Compiling costs more than short statements do.
        "jit": "off",
        "statement_timeout": str(round(options.statement_timeout * 1000)),
        "lock_timeout": str(round(options.lock_timeout * 1000)),
        "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT * 1000),
    }


def _setting(settings: dict[str, str], options: ConnectionOptions, *, is_local: bool) -> str:
    local = str(is_local).lower()
    calls = [f"set_config('{name}', '{value}', {local})" for name, value in settings.items()]
    calls.append(
        f"CASE WHEN current_setting('server_version_num')::int >= {_TRANSACTION_TIMEOUT_SINCE}"
        f" THEN set_config('transaction_timeout', '{round(options.transaction_timeout * 1000)}', {local}) END"
    )
    return f"SELECT {', '.join(calls)}"
