"""What the commands below `secrets` ask an application."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias, TypeVar

from returns.result import Failure

from fastapi_easy.application.secrets.rotate_secrets import EncryptedValues, Rotation
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.interfaces.cli.secrets.app import KeyCount, RotationResult
from fastapi_easy.interfaces.cli.tasks import CommandError

T = TypeVar("T")

Opened: TypeAlias = AbstractAsyncContextManager[tuple[Sequence[EncryptedValues], str]]
"""Opens what is encrypted in an application, with the id of the current key."""


def count_keys(secrets: Opened) -> Sequence[KeyCount]:
    """Count the values in *secrets* by field and key.

    Raises:
        CommandError: A database refused.
    """

    async def ask() -> Sequence[KeyCount]:
        async with secrets as (opened, current):
            return [
                KeyCount(use.resource, use.field, key, values, key == current)
                for each in opened
                for use in _answer(await each.count())
                for key, values in sorted(use.values.items())
            ]

    return asyncio.run(ask())


def rotate_all(
    secrets: Opened, report: Callable[[RotationResult], None], *, is_dry_run: bool
) -> Sequence[RotationResult]:
    """Encrypt the values in *secrets* with the current key, and tell *report* of the progress.

    Raises:
        CommandError: A database refused.
    """

    async def ask() -> Sequence[RotationResult]:
        async with secrets as (opened, _):
            return [
                _result(_answer(await each.rotate(lambda done: report(_result(done)), is_dry_run=is_dry_run)))
                for each in opened
            ]

    return asyncio.run(ask())


def _result(done: Rotation) -> RotationResult:
    return RotationResult(done.resource, done.examined, done.changed, done.unreadable)


def _answer(outcome: Outcome[T]) -> T:
    """Return what *outcome* holds.

    Raises:
        CommandError: It is a failure.
    """
    if isinstance(outcome, Failure):
        raise CommandError(f"the database refused: {outcome.failure().code}; start the command again")
    return outcome.unwrap()
