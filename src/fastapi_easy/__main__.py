"""The command `fastapi-easy`, also as `python -m fastapi_easy`: puts the command line together.

A room with a framework in it is entered only by the command that needs it, so that `--help` is quick.
"""
# ruff: noqa: PLC0415 (the reason is above)

import asyncio
import contextlib
import datetime
import importlib.metadata
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import typer
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.events import MigrationEvent
from fastapi_easy.interfaces.cli.app import build_cli
from fastapi_easy.interfaces.cli.consuming.tasks import Consume
from fastapi_easy.interfaces.cli.migrate.tasks import (
    Linted,
    MigrationTarget,
    MigrationTasks,
    Place,
    ScriptLinting,
)
from fastapi_easy.interfaces.cli.policy.tasks import PolicyTasks
from fastapi_easy.interfaces.cli.secrets.app import KeyCount, RotationResult, SecretTasks
from fastapi_easy.interfaces.cli.tasks import (
    TARGET_VARIABLE,
    BreakerState,
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
    command_line()()


def command_line() -> typer.Typer:
    """Return the command line, with everything that its commands call."""
    tasks = Tasks(
        serve=_serve,
        list_routes=_list_routes,
        describe_messages=_describe_messages,
        diagnose=_diagnose,
        ask_breakers=_ask_breakers,
        list_locks=_list_locks,
        evict_lock=_evict_lock,
        list_row_security=_list_row_security,
        version=_version,
    )
    return build_cli(
        tasks,
        _load_migration_tasks,
        _load_key_tasks,
        _load_policy_tasks,
        _secret_tasks(),
        _load_event_tasks,
        webhook_tasks=_load_webhook_tasks,
        audit_tasks=_load_audit_tasks,
        load_consume=_load_consume,
    )


def _version() -> str:
    return importlib.metadata.version("fastapi_easy")


def _serve(serving: Serving) -> int:
    from fastapi_easy.interfaces.cli.server.serve import serve

    os.environ[TARGET_VARIABLE] = serving.target.path
    return serve(serving, partial(_serving_options, serving))


def _serving_options(serving: Serving, app: Any) -> Any:
    """Return what the settings of *app* say about serving it, and share its secret with its processes."""
    from fastapi_easy.command_line.program_settings import settings_of_program
    from fastapi_easy.infrastructure.observation.structured_logs import log_config
    from fastapi_easy.interfaces.cli.server.refusals import ServerRefusals
    from fastapi_easy.interfaces.cli.server.serve import Drain, ServingOptions
    from fastapi_easy.interfaces.http.request_problems import (
        ENDING,
        HEAD_TOO_SLOW,
        headers_too_large,
        rendered_for_server,
    )
    from fastapi_easy.settings.reading.sources import PREFIX

    container = getattr(getattr(app, "state", None), "container", None)
    settings = settings_of_program(container, _report_mistakes)
    if settings.secret is None:
        # Every worker, and every reload, has to accept the cursors that another one signed.
        os.environ[f"{PREFIX}SECRET"] = secrets.token_urlsafe(32)
    level = serving.log_level or settings.log.level
    return ServingOptions(
        log_config=log_config(level, json_lines=settings.log.json_lines),
        drain=Drain(delay=settings.http.drain_delay, grace=settings.http.grace),
        refusals=ServerRefusals(
            head_too_large=rendered_for_server(headers_too_large(settings.http.header_bytes)),
            head_too_slow=rendered_for_server(HEAD_TOO_SLOW),
            unfinished=rendered_for_server(ENDING),
        ),
        header_bytes=settings.http.header_bytes,
        header_timeout=settings.http.header_timeout,
        keep_alive_timeout=settings.http.keep_alive_timeout,
    )


def _diagnose(target: Target) -> Diagnosis:
    from fastapi_easy.command_line.doctor import diagnose

    return diagnose(target, _application_at, _report_mistakes)


def _list_routes(target: Target) -> Sequence[Route]:
    from fastapi_easy.interfaces.cli.route_list import routes_of

    app, application = _application_at(target)
    return routes_of(app, application.declarations if application else ())


def _ask_breakers(action: str, database: str | None, control: Path | None) -> Sequence[BreakerState]:
    from fastapi_easy.interfaces.cli.breakers import breaker_states
    from fastapi_easy.interfaces.cli.control import send_to_processes
    from fastapi_easy.settings.reading.sources import PREFIX, written_value

    with _report_mistakes():
        # Not all settings: no program is named whose own sections could be among them.
        written = None if control else written_value("control", os.environ)
    folder = Path(written) if written else control
    if folder is None:
        raise CommandError(
            f"give the control folder of the running application with --control, or set {PREFIX}CONTROL"
        )
    return breaker_states(list(send_to_processes(folder, {"do": action, "database": database})), database)


def _list_locks(target: Target, prefix: str) -> Sequence[Lock]:
    from fastapi_easy.command_line.locks import list_locks

    return list_locks(_locked_application_at(target), prefix)


def _evict_lock(target: Target, name: str, token: int, reason: str) -> bool:
    from fastapi_easy.command_line.locks import evict_lock

    return evict_lock(_locked_application_at(target), name, token, reason)


def _locked_application_at(target: Target) -> Any:
    _, application = _application_at(target)
    if application is None:
        raise CommandError(f"{target.path} was not created from a container, so it has no locks")
    return application


def _list_row_security(target: Target) -> Sequence[str]:
    from fastapi_easy.composition.schemas.row_security import row_security_statements

    application = _container_at(target)
    with _report_mistakes():
        return [
            statement
            for database in application.every_database()
            for statement in row_security_statements(application, database)
        ]


def _load_policy_tasks() -> PolicyTasks:
    from fastapi_easy.composition.policies.command_tasks import policy_tasks

    return policy_tasks(_container_at, _report_mistakes)


def _describe_messages(target: Target) -> Mapping[str, object]:
    from fastapi_easy.command_line.asyncapi import describe

    return describe(target, _container_at, _report_mistakes)


def _load_consume() -> Consume:
    from fastapi_easy.command_line.consuming import consume_of

    return consume_of(_container_at, _report_mistakes)


def _load_event_tasks() -> Any:
    from fastapi_easy.command_line.events import event_tasks_of

    return event_tasks_of(_container_at, _report_mistakes)


def _container_at(target: Target) -> Any:
    """Return the container of the application at *target*.

    Raises:
        CommandError: It has none.
    """
    _, application = _application_at(target)
    if application is None:
        raise CommandError(f"{target.path} was not created from a container: name an app of create_app")
    return application


def _load_migration_tasks() -> MigrationTasks:
    from fastapi_easy.interfaces.cli.migrate.facade_tasks import migration_tasks

    return migration_tasks(_open_migrations, _lint_scripts)


def _secret_tasks() -> SecretTasks:
    def generate() -> str:
        from fastapi_easy.infrastructure.security.base64_keys import generate_key

        return generate_key()

    def count(target: Target, resource: str | None) -> Sequence[KeyCount]:
        from fastapi_easy.interfaces.cli.secrets.facade_tasks import count_keys

        return count_keys(_open_secrets(target, resource))

    def rotate(
        target: Target, resource: str | None, is_dry_run: bool, report: Callable[[RotationResult], None]
    ) -> Sequence[RotationResult]:
        from fastapi_easy.interfaces.cli.secrets.facade_tasks import rotate_all

        return rotate_all(_open_secrets(target, resource), report, is_dry_run=is_dry_run)

    return SecretTasks(generate=generate, count=count, rotate=rotate)


@contextlib.asynccontextmanager
async def _open_secrets(target: Target, resource: str | None) -> AsyncIterator[Any]:
    """Open what is encrypted in the application at *target*, with the id of the current key.

    Raises:
        CommandError: There is no such application, or it encrypts nothing.
    """
    from fastapi_easy.composition.secrets.stored_secrets import open_stored_secrets

    application = _container_at(target)
    with _report_mistakes():
        async with open_stored_secrets(application, resource) as opened:
            yield opened, application.cipher().key_ids[0]


def _lint_scripts(asked: ScriptLinting) -> Outcome[Linted]:
    from fastapi_easy.composition.scripts.linting import lint_scripts

    found = lint_scripts(asked.files, asked.server, datetime.datetime.now(datetime.UTC).date())
    if isinstance(found, Failure):
        return found
    linted = found.unwrap()
    places = {index: Place(file, line) for index, (file, line) in enumerate(linted.places)}
    return Success(Linted(plan=linted.plan, places=places))


@contextlib.asynccontextmanager
async def _open_migrations(
    at: MigrationTarget, publish: Callable[[MigrationEvent], Awaitable[None]]
) -> AsyncIterator[Any]:
    """Open the migrations of the database *at*, which pass their events to *publish* as well.

    Raises:
        CommandError: There is no such application, it has no such database, or the database does not answer.
    """
    from fastapi_easy.migrations import open_migrations

    _, application = _application_at(at.target)
    if application is None:
        raise CommandError(f"{at.target.path} was not created from a container, so it declares no schema")
    unsubscribe = application.event_bus().subscribe(MigrationEvent, publish)
    try:
        with _report_mistakes():
            async with open_migrations(application, at.database) as migrations:
                yield migrations
    except ConnectionError as error:
        raise CommandError(str(error)) from error
    finally:
        unsubscribe()


def _load_key_tasks() -> Any:
    from fastapi_easy.interfaces.cli.keys.tasks import KeyTasks

    return KeyTasks(ask=_ask_keyring)


def _ask_keyring(target: Target, question: Callable[[Any], Awaitable[Outcome[Any]]]) -> Outcome[Any]:
    """Ask the API keys of the application at *target* a question.

    Raises:
        CommandError: It has none that another process could see.
    """
    from fastapi_easy.authentication import open_keyring
    from fastapi_easy.composition.authentication.api_keys import keeps_keys_for_others

    application = _container_at(target)

    async def ask() -> Outcome[Any]:
        async with open_keyring(application) as keyring:
            return await question(keyring)

    with _report_mistakes():
        if not keeps_keys_for_others(application):
            raise CommandError(
                "the API keys of this application are in process memory and cannot be seen from another process"
            )
        return asyncio.run(ask())


def _load_audit_tasks() -> Any:
    from fastapi_easy.command_line.audit import audit_tasks_of

    return audit_tasks_of(_container_at, _report_mistakes)


def _load_webhook_tasks() -> Any:
    from fastapi_easy.command_line.webhooks import webhook_tasks_of

    return webhook_tasks_of(_container_at, _report_mistakes)


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
