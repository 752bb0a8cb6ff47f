"""`doctor`: what an application needs, looked at as a start would, without changing anything."""

import contextlib
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from fastapi_easy.command_line.program_settings import settings_of_program
from fastapi_easy.composition.schemas.database_checks import check_databases, check_locks
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.interfaces.cli import diagnosis
from fastapi_easy.interfaces.cli.settings_list import settings_of
from fastapi_easy.interfaces.cli.tasks import Check, CommandError, Diagnosis, Target
from fastapi_easy.settings.reading.sources import PREFIX, read_file
from fastapi_easy.settings.reading.unread_files import find_unread_files


def diagnose(
    target: Target,
    application_at: Callable[[Target], tuple[Any, Any]],
    report_mistakes: Callable[[], AbstractContextManager[None]],
) -> Diagnosis:
    """Check everything that the application at *target* needs, and change nothing.

    Args:
        target: The application.

        application_at: Returns its app and its container. Raises `CommandError`.

        report_mistakes: Turns a `DeclarationError` into a `CommandError`.

    Raises:
        CommandError: There is no such application.
    """
    application: Any = None
    settings: Any = None
    checks: list[Check] = []
    with _collected_warnings() as warned:
        try:
            _, application = application_at(target)
            settings = settings_of_program(application, report_mistakes)
        except CommandError as command_error:
            if not command_error.mistakes:
                raise
            checks += diagnosis.check_refusal(command_error)
            with contextlib.suppress(CommandError):
                settings = settings_of_program(None, report_mistakes)
    checks += diagnosis.check_warnings([*find_unread_files(), *_setting_warnings(warned)])
    resources = list(application.every_resource()) if application and settings else []
    checks += diagnosis.check_resources(resources)
    if application and not application.declarations:
        checks.append(diagnosis.no_resources(target))
    if settings is not None:
        checks += check_databases(settings, application, resources, target)
        if application:
            checks += check_locks(application, settings)
        checks.append(diagnosis.check_secret(is_set=settings.secret is not None, variable=f"{PREFIX}SECRET"))
    checks += diagnosis.check_speed()
    return Diagnosis(() if settings is None else _settings(settings), tuple(checks))


@contextlib.contextmanager
def _collected_warnings() -> Iterator[list[warnings.WarningMessage]]:
    """Collect what is warned of while settings are read, and do not log it: checks say it."""
    log = logging.getLogger("fastapi_easy.settings")
    was_disabled, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always", DeprecationWarning)
            yield warned
    finally:
        log.disabled = was_disabled


def _setting_warnings(warned: Sequence[warnings.WarningMessage]) -> list[str]:
    """Return what was said of settings that have another name now."""
    said = (str(each.message) for each in warned if issubclass(each.category, DeprecationWarning))
    return list(dict.fromkeys(each for each in said if each.startswith("the setting ")))


def _settings(settings: Any) -> tuple[Any, ...]:
    read: Any = settings
    with contextlib.suppress(DeclarationError):
        read = type(settings)()
    return tuple(
        settings_of(
            settings.model_dump(),
            read.model_dump(),
            environment=os.environ,
            file=read_file(),
            prefix=PREFIX,
        )
    )
