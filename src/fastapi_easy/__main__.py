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
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from returns.result import Failure

from fastapi_easy.domain.errors import Outcome, Unsupported
from fastapi_easy.domain.locks.lease import LockCapability
from fastapi_easy.domain.ports.lock_provider import LockProvider
from fastapi_easy.interfaces.cli.app import build_cli
from fastapi_easy.interfaces.cli.tasks import (
    BreakerState,
    Check,
    CommandError,
    Diagnosis,
    Lock,
    Route,
    Serving,
    Target,
    Tasks,
)


def main() -> None:
    """Carry out the command line."""
    tasks = Tasks(
        serve=_serve,
        list_routes=_list_routes,
        diagnose=_diagnose,
        ask_breakers=_ask_breakers,
        list_locks=_list_locks,
        evict_lock=_evict_lock,
        version=_version,
    )
    build_cli(tasks)()


def _version() -> str:
    return importlib.metadata.version("fastapi_easy")


def _serve(serving: Serving) -> int:
    from fastapi_easy.infrastructure.observation.structured_logs import log_config
    from fastapi_easy.interfaces.cli.serving import Drain, serve
    from fastapi_easy.settings import PREFIX, read_settings

    with _report_mistakes():
        settings = read_settings()
    if settings.secret is None:
        # Every worker, and every reload, has to accept the cursors that another one signed.
        os.environ[f"{PREFIX}SECRET"] = secrets.token_urlsafe(32)
    level = serving.log_level or settings.log.level
    drain = Drain(delay=settings.http.drain_delay, grace=settings.http.grace)
    return serve(serving, log_config(level, json_lines=settings.log.json_lines), drain)


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
    except CommandError as command_error:
        if not command_error.mistakes:
            raise
        mistakes = command_error.mistakes
    settings = application.settings() if application else read
    resources = list(application.every_resource()) if application else []
    checks = [*diagnosis.check_mistakes("declaration", mistakes), *diagnosis.check_resources(resources)]
    if not checks:
        checks.append(diagnosis.no_resources(target))
    checks += _check_databases(settings, application, resources)
    checks += diagnosis.check_speed()
    checks.append(diagnosis.check_secret(is_set=settings.secret is not None, variable=f"{PREFIX}SECRET"))
    return Diagnosis(_settings(settings, read), tuple(checks))


def _ask_breakers(action: str, database: str | None, control: Path | None) -> Sequence[BreakerState]:
    from fastapi_easy.interfaces.cli.breakers import breaker_states
    from fastapi_easy.interfaces.cli.control import send_to_processes
    from fastapi_easy.settings import PREFIX, read_settings

    with _report_mistakes():
        folder = control or read_settings().control
    if folder is None:
        raise CommandError(
            f"give the control folder of the running application with --control, or set {PREFIX}CONTROL"
        )
    return breaker_states(list(send_to_processes(folder, {"do": action, "database": database})), database)


def _list_locks(target: Target, prefix: str) -> Sequence[Lock]:
    held = _query_locks(target, lambda locks: locks.inspect(prefix))
    return [
        Lock(
            name=each.name,
            token=each.token,
            age=each.age,
            remaining=each.remaining,
            owner=each.owner,
            waiters=each.waiters,
        )
        for each in held
    ]


def _evict_lock(target: Target, name: str, token: int, reason: str) -> bool:
    return bool(_query_locks(target, lambda locks: locks.evict(name, token=token, reason=reason)))


def _query_locks(target: Target, question: Callable[[LockProvider], Awaitable[Outcome[Any]]]) -> Any:
    """Ask the lock store of the application at *target* a question.

    Raises:
        CommandError: It has none that another process could see, they do not answer, or cannot do that.
    """
    _, application = _application_at(target)
    if application is None:
        raise CommandError(f"{target.path} was not created from a container, so it has no locks")
    locks: LockProvider = application.locks()
    if LockCapability.TTL in locks.capabilities and not locks.capabilities & {
        LockCapability.DURABLE,
        LockCapability.CROSS_HOST,
    }:
        raise CommandError(
            "the locks of this application are in process memory and cannot be seen from another process"
        )

    async def ask() -> Outcome[Any]:
        try:
            return await question(locks)
        finally:
            await locks.aclose()

    answer = asyncio.run(ask())
    if isinstance(answer, Failure):
        error = answer.failure()
        raise CommandError(
            "the lock store does not support eviction: only the holder can release the lock"
            if isinstance(error, Unsupported)
            else "the lock store does not answer"
        )
    return answer.unwrap()


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
    """Yield the checks of every database in use, or of all in the settings when the declarations have mistakes."""
    from fastapi_easy.bootstrap import schema_mode
    from fastapi_easy.composition.technologies import open_database
    from fastapi_easy.domain.errors import DeclarationError
    from fastapi_easy.interfaces.cli import diagnosis

    used = dict.fromkeys(each.database for each in resources) if application else settings.databases
    provided = application.databases.providers if application else {}
    for name in used:
        if absent := diagnosis.check_sqlite_file(name, settings.databases[name].url.get_secret_value()):
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
    """Return the FastAPI app at *target*, built if that is a container, and its container, if it has one.

    Raises:
        CommandError: It names something else, or its declarations have mistakes.
    """
    from fastapi import FastAPI

    from fastapi_easy.bootstrap import create_app
    from fastapi_easy.composition.application import Application
    from fastapi_easy.container import Container
    from fastapi_easy.interfaces.cli.targets import load, load_app

    found = load(target)
    with _report_mistakes():
        if isinstance(found, type) and issubclass(found, Container):
            found = found()
        if isinstance(found, Application):
            return create_app(cast("Container", found)), found
    app = load_app(target)
    if not isinstance(app, FastAPI):
        raise CommandError(f"{target.path} is of type {type(app).__name__}: name the FastAPI app itself")
    return app, getattr(app.state, "container", None)


@contextlib.contextmanager
def _report_mistakes() -> Iterator[None]:
    from fastapi_easy.domain.errors import DeclarationError

    try:
        yield
    except DeclarationError as error:
        raise CommandError(str(error), mistakes=error.mistakes) from error


if __name__ == "__main__":
    main()
