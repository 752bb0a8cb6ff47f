"""`asyncapi`."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from fastapi_easy.composition.events.asyncapi import describe_messages, has_messages
from fastapi_easy.interfaces.cli.tasks import CommandError, Target


def describe(
    target: Target,
    find: Callable[[Target], Any],
    report_mistakes: Callable[[], AbstractContextManager[None]],
) -> Mapping[str, object]:
    """Return the AsyncAPI document of the application at *target*.

    Args:
        target: Where it is.

        find: Returns its container. Raises `CommandError`.

        report_mistakes: Turns a `DeclarationError` into a `CommandError`.

    Raises:
        CommandError: There is no such application, or it has no messages.
    """
    application = find(target)
    with report_mistakes():
        if not has_messages(application):
            raise CommandError(
                f"{target.path} neither publishes nor consumes: declare a resource with events=True, or consumers"
            )
        return describe_messages(application)
