"""Ask before something is changed."""

from fastapi_easy.interfaces.cli.migrate.exit_codes import ExitCode
from fastapi_easy.interfaces.cli.migrate.failures import end
from fastapi_easy.interfaces.cli.migrate.tasks import MigrationTasks


def confirm(tasks: MigrationTasks, question: str, *, as_json: bool, needs_somebody: bool = True) -> None:
    """Ask *question*; end the command unless somebody says yes.

    Args:
        tasks: Ask.

        question: What is asked.

        as_json: Print an object on stdout when the command ends.

        needs_somebody: End it as well when there is nobody to ask.
    """
    answer = tasks.confirm(question)
    if answer is None and not needs_somebody:
        return
    if answer is None:
        end(
            ExitCode.USAGE,
            "there is no terminal to ask on: give --yes to go on without being asked",
            code="not_confirmed",
            as_json=as_json,
        )
    if not answer:
        end(ExitCode.USAGE, "nothing was changed", code="not_confirmed", as_json=as_json)
