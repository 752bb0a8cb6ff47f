"""How commands fail: a sentence on stderr, the exit code, and with `--json` an object on stdout."""

import contextlib
import json
import shlex
import sys
import traceback
from collections.abc import Iterator
from typing import NoReturn, TypeVar

import typer
from returns.result import Failure, Success

from fastapi_easy.domain.errors import (
    DeadlineExceeded,
    Error,
    LockHeld,
    LockLost,
    NotFound,
    Outcome,
    OutcomeUnknown,
    Unavailable,
    Unsupported,
)
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.interfaces.cli.migrate.exit_codes import ExitCode, exit_code_of, exit_code_of_command
from fastapi_easy.interfaces.cli.migrate.masking import printable
from fastapi_easy.interfaces.cli.tasks import CommandError

T = TypeVar("T")


def unwrap(outcome: Outcome[T], *, as_json: bool) -> T:
    """Return what *outcome* succeeded with; else end the command with its error."""
    match outcome:
        case Success(value):
            return value
        case Failure(error):
            stop = error if isinstance(error, MigrationStopped) else None
            lacking = stop is not None and stop.stop is MigrationStop.NOT_ALLOWED
            return end(
                exit_code_of(error),
                _sentence(error),
                details=stop.details if stop else (),
                code=stop.stop.value if stop else error.code,
                run_id=stop.run_id if stop else "",
                before_details="--allow " if lacking else "",
                as_json=as_json,
            )


def end(
    exit_code: ExitCode,
    message: str,
    *,
    details: tuple[str, ...] = (),
    code: str = "usage",
    run_id: str = "",
    before_details: str = "",
    as_json: bool = False,
) -> NoReturn:
    """End the command with *exit_code*, and say why.

    Args:
        exit_code: That of the process.

        message: A sentence for people.

        details: Further sentences.

        code: A stable word for programs.

        run_id: The run that is recorded; empty when there is none.

        before_details: What people read before each of *details*, which is then quoted for a shell.

        as_json: Print an object on stdout as well.
    """
    message, details = printable(message), tuple(map(printable, details))
    typer.echo(
        "\n".join(
            [
                message,
                *(f"  {before_details}{shlex.quote(each) if before_details else each}" for each in details),
            ]
        ),
        err=True,
    )
    if as_json:
        error = {"code": code, "message": message, "details": details, "run_id": run_id}
        typer.echo(json.dumps({"error": error, "exit_code": exit_code.value}, indent=2))
    raise typer.Exit(exit_code.value)


@contextlib.contextmanager
def reported(*, as_json: bool, debug: bool) -> Iterator[None]:
    """End the command with a sentence, whatever is raised in the block; passwords are masked.

    Args:
        as_json: Print an object on stdout as well.

        debug: Show the traceback too, masked.
    """
    try:
        yield
    except (typer.TyperException, typer.Exit, typer.Abort):
        raise
    except CommandError as command_error:
        _show_traceback(command_error.__cause__ or command_error, debug=debug)
        end(exit_code_of_command(command_error.exit_code), command_error.message, as_json=as_json)
    except Exception as error:  # noqa: BLE001 (a traceback of any exception could show a password)
        _show_traceback(error, debug=debug)
        hint = "" if debug else "; --debug shows where"
        said = f": {error}" if str(error) else ""
        end(
            ExitCode.USAGE,
            f"internal error: {type(error).__name__}{said}{hint}",
            code="internal",
            as_json=as_json,
        )


def _show_traceback(error: BaseException, *, debug: bool) -> None:
    if debug:
        print(printable("".join(traceback.format_exception(error))), end="", file=sys.stderr)  # noqa: T201


def _sentence(error: Error) -> str:
    match error:
        case MigrationStopped(message=message):
            sentence = message
        case LockHeld(name=name):
            sentence = f"another process is migrating ({name}): try again later, or wait longer with --wait"
        case LockLost(name=name):
            sentence = f"the lock of migrations ({name}) was lost: run the command again to go on"
        case Unavailable(dependency=dependency, detail=detail):
            sentence = f"the database {dependency} does not answer" + (f": {detail}" if detail else "")
        case DeadlineExceeded(dependency=dependency):
            sentence = f"the database {dependency} took too long"
        case OutcomeUnknown(dependency=dependency):
            sentence = (
                f"the database {dependency} did not say whether a step took effect: run the command again"
            )
        case NotFound(resource=resource, key=key):
            sentence = f"there is no {resource} {key}"
        case Unsupported(resource=resource, capability=capability):
            sentence = f"{resource} does not support {capability}"
        case _:
            sentence = f"the database refused: {error.code}"
    return sentence
