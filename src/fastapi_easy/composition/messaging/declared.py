"""What the consumers of an application are, and what is wrong with them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi_easy.application.kernel import Kernel
from fastapi_easy.application.messaging.consumer import Consumer
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.interfaces.messaging.commands import MessageCommand, find_command

__all__ = ["DeclaredConsumer", "find_consumer_mistakes", "read_consumers"]

_NAME: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class DeclaredConsumer:
    """One consumer of an application.

    Attributes:
        consumer: As declared.

        group: The group it belongs to.

        database: The database in which its messages change something.

        command: What its messages ask for; `None` for a function.
    """

    consumer: Consumer
    group: str
    database: str
    command: MessageCommand | None


def read_consumers(application: Application, kernel: Kernel) -> Sequence[DeclaredConsumer]:
    """Return the consumers of *application*.

    Raises:
        DeclarationError: With every mistake in their declarations.
    """
    mistakes: list[str] = []
    read = list(_read(application, kernel, mistakes))
    if mistakes:
        raise DeclarationError(mistakes)
    return read


def find_consumer_mistakes(application: Application, kernel: Kernel) -> list[str]:
    """Return what is wrong with the consumers of *application*, each a sentence with the way to mend it."""
    mistakes: list[str] = []
    for _ in _read(application, kernel, mistakes):
        pass
    return mistakes


def _read(application: Application, kernel: Kernel, mistakes: list[str]) -> Iterator[DeclaredConsumer]:
    """Yield the consumers that are declared rightly; add to *mistakes* what is wrong with the others."""
    seen: set[tuple[str, str]] = set()
    used = {each.name: each for each in application.every_database()}
    for consumer in application.consumers() or ():
        wrong = consumer.find_mistakes()
        group = consumer.group or _default_group(application)
        wrong += [
            f"{what} {name!r} must be letters, digits, _ and - in parts joined by dots, at most {_LONGEST_NAME} "
            "characters"
            for what, name in (("the topic", consumer.topic), ("the group", group))
            if name and (not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME)
        ]
        if (group, consumer.topic) in seen:
            wrong.append(f"the group {group!r} listens to it twice: give one of the two another group=…")
        seen.add((group, consumer.topic))
        command, database = None, consumer.database
        if consumer.command is not None:
            found = _find_command(kernel, consumer.command)
            if isinstance(found, str):
                wrong.append(found)
            else:
                command, database = found
        if database not in used:
            wrong.append(
                f"no resource lives in database {database!r}: name one of {', '.join(used) or 'those that have some'}"
            )
        elif consumer.deduplicate and technology_of(used[database]).inbox is None:
            wrong.append(
                f"{used[database].technology}, the database {database!r}, cannot note which messages were handled: "
                "write deduplicate=False if it does no harm that one is handled twice"
            )
        mistakes += [f"consumers: {consumer.topic!r}: {each}" for each in wrong]
        if not wrong:
            yield DeclaredConsumer(consumer, group, database, command)


def _default_group(application: Application) -> str:
    """Return the name of the class of the container, as the name of a group: `Shop` is `shop`."""
    parent: Any = application.declarative_parent
    name = "container" if parent is None else parent.__name__
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower())


def _find_command(kernel: Kernel, name: str) -> tuple[MessageCommand, str] | str:
    """Return the command *name* with its database, or why messages cannot ask for it."""
    resource, _, operation = name.rpartition(".")
    try:
        use_cases = kernel.use_cases(resource)
    except KeyError as error:
        return f"command={name!r}: {error.args[0]}"
    command = find_command(use_cases, operation)
    if command is None:
        return (
            f"command={name!r}: messages cannot ask for that: {resource} offers them "
            f"{', '.join(_offered(use_cases)) or 'nothing'}"
        )
    return command, use_cases.resource.database


def _offered(use_cases: Any) -> Iterator[str]:
    resource = use_cases.resource
    for name in sorted({*map(str, resource.operations), *(resource.actions or {})}):
        if find_command(use_cases, name) is not None:
            yield f"{resource.name}.{name}"
