"""The command `fastapi-easy`, also as `python -m fastapi_easy`: puts the command line together.

A room with a framework in it is entered only by the command that needs it, so that `--help` is quick.
"""
# ruff: noqa: PLC0415 (the reason is above)

import asyncio
import contextlib
import importlib.metadata
import os
import secrets
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from fastapi_easy.interfaces.cli.app import build_cli
from fastapi_easy.interfaces.cli.tasks import Check, Diagnosis, Refusal, Route, Serving, Target, Tasks


def main() -> None:
    """Carry out the command line."""
    build_cli(Tasks(serve=_serve, list_routes=_list_routes, diagnose=_diagnose, version=_version))()


def _version() -> str:
    return importlib.metadata.version("fastapi_easy")


def _serve(serving: Serving) -> int:
    from fastapi_easy.infrastructure.observation.structured_logs import log_config
    from fastapi_easy.interfaces.cli.serving import serve
    from fastapi_easy.settings import PREFIX, read_settings

    with _mistakes_refused():
        settings = read_settings()
    if settings.secret is None:
        # Every worker, and every reload, has to accept the cursors that another one signed.
        os.environ[f"{PREFIX}SECRET"] = secrets.token_urlsafe(32)
    level = serving.log_level or settings.log.level
    return serve(serving, log_config(level, json_lines=settings.log.json_lines))


def _list_routes(target: Target) -> Sequence[Route]:
    from fastapi_easy.interfaces.cli.route_list import routes_of

    app, application = _application_at(target)
    return routes_of(app, application.declarations if application else ())


def _diagnose(target: Target) -> Diagnosis:
    from fastapi_easy.domain.errors import DeclarationError
    from fastapi_easy.interfaces.cli import diagnosis
    from fastapi_easy.settings import PREFIX, read_settings

    try:
        read = read_settings()
    except DeclarationError as error:
        return Diagnosis((), (*diagnosis.check_mistakes("setting", error.mistakes), *diagnosis.check_speed()))
    application: Any = None
    mistakes: tuple[str, ...] = ()
    try:
        _, application = _application_at(target)
    except Refusal as refusal:
        if not refusal.mistakes:
            raise
        mistakes = refusal.mistakes
    settings = application.settings() if application else read
    resources = list(application.every_resource()) if application else []
    checks = [*diagnosis.check_mistakes("declaration", mistakes), *diagnosis.check_resources(resources)]
    if not checks:
        checks.append(diagnosis.nothing_declared(target))
    checks += _check_databases(settings, application, resources)
    checks += diagnosis.check_speed()
    checks.append(diagnosis.check_secret(is_set=settings.secret is not None, variable=f"{PREFIX}SECRET"))
    return Diagnosis(_settings(settings, read), tuple(checks))


def _settings(settings: Any, read: Any) -> tuple[Any, ...]:
    from fastapi_easy.interfaces.cli.settings_list import settings_of
    from fastapi_easy.settings import PREFIX

    written = Path("fastapi-easy.toml")
    file: Mapping[str, Any] = tomllib.loads(written.read_text("utf-8")) if written.exists() else {}
    return tuple(
        settings_of(
            settings.model_dump(), read.model_dump(), environment=os.environ, file=file, prefix=PREFIX
        )
    )


def _check_databases(settings: Any, application: Any, resources: Sequence[Any]) -> Iterator[Check]:
    """The checks of every database in use, or, when the declarations do not tell which, of all in the settings."""
    from fastapi_easy.bootstrap import schema_mode
    from fastapi_easy.domain.errors import DeclarationError
    from fastapi_easy.interfaces.cli import diagnosis
    from fastapi_easy.technologies import open_database

    used = dict.fromkeys(each.database for each in resources) if application else settings.databases
    provided = application.databases.providers if application else {}
    for name in used:
        if absent := diagnosis.check_embedded(name, settings.databases[name].url.get_secret_value()):
            yield absent
            continue
        try:
            database = provided[name]() if application else open_database(settings, name)
        except DeclarationError as error:
            yield from diagnosis.check_mistakes("database", [f"{name}: {each}" for each in error.mistakes])
            continue
        kept = [each for each in resources if each.database == name]
        mode = schema_mode(settings, database)
        yield from asyncio.run(diagnosis.check_database(database, kept, mode))


def _application_at(target: Target) -> tuple[Any, Any]:
    """The FastAPI app that *target* names, made of a container if it names that; and its container, if it has one.

    Raises:
        Refusal: It names something else, or its declarations have mistakes.
    """
    from fastapi import FastAPI

    from fastapi_easy.bootstrap import create_app
    from fastapi_easy.container import Application, Container
    from fastapi_easy.interfaces.cli.targets import load, load_app

    found = load(target)
    with _mistakes_refused():
        if isinstance(found, type) and issubclass(found, Container):
            found = found()
        if isinstance(found, Application):
            return create_app(cast("Container", found)), found
    app = load_app(target)
    if not isinstance(app, FastAPI):
        raise Refusal(f"{target.path} is of type {type(app).__name__}: name the FastAPI app itself")
    return app, getattr(app.state, "container", None)


@contextlib.contextmanager
def _mistakes_refused() -> Iterator[None]:
    from fastapi_easy.domain.errors import DeclarationError

    try:
        yield
    except DeclarationError as error:
        raise Refusal(str(error), mistakes=error.mistakes) from error


if __name__ == "__main__":
    main()
