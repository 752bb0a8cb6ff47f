"""The settings that a program runs with, whose class may be one of its own."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.settings import read_settings
from fastapi_easy.settings.reading.mistakes import find_unknown_variables


def settings_of_program(application: Any, report_mistakes: Callable[[], AbstractContextManager[None]]) -> Any:
    """Return the settings of *application*, or those of this process when it is `None`.

    Args:
        application: The container of the program, if it has one.

        report_mistakes: Turns a `DeclarationError` into a `CommandError`.

    Raises:
        CommandError: A variable is none of them.
    """
    with report_mistakes():
        if application is None:
            return read_settings()
        settings = application.settings()
        # A program that makes its own has not asked which variables there are besides.
        if unknown := list(find_unknown_variables(type(settings), os.environ)):
            raise DeclarationError(unknown, subject="settings")
        return settings
