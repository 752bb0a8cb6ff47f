"""The group of commands below `migrate`; they are assembled when one is called, or its help is shown."""

import contextlib
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from fastapi_easy.interfaces.cli.migrate.tasks import LoadTasks

_EXIT_CODES = """\b
Exit codes:
  0  done, or nothing to do
  1  the command cannot be carried out as given, or the database does not answer
  2  there is something to apply (plan, status --check)
  3  not allowed: an approval is missing, or a hook refused
  4  a step failed; how far the run has come is recorded
  5  another process migrates
  6  the database, the plan or a script is not what it is supposed to be
  7  nobody can tell what a step has done: see repair
"""


def add_to(cli: typer.Typer, load_tasks: LoadTasks) -> None:
    """Add the commands below `migrate` to *cli*."""

    class Migrate(_Group):
        """The group with the commands that call what *load_tasks* returns."""

        def load(self) -> None:
            if not self.commands:
                from fastapi_easy.interfaces.cli.migrate.assembly import build_commands

                self.commands.update(build_commands(load_tasks))

    cli.add_typer(
        typer.Typer(
            name="migrate",
            help="Change the stored schema, see how, and how far it has come.",
            epilog=_EXIT_CODES,
            no_args_is_help=True,
            cls=Migrate,
            rich_markup_mode=None,
        )
    )


class _Group(TyperGroup):
    """Loads its commands when they are needed, so that `fastapi-easy --help` does not pay for them.

    What cannot be parsed ends with 1, because 2 says that there is something to apply.
    """

    def load(self) -> None:
        """Fill in the commands, unless they are there."""

    def list_commands(self, ctx: Any) -> list[str]:
        self.load()
        return super().list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        self.load()
        return super().get_command(ctx, cmd_name)

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        with _usage_errors_end_with_one():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        with _usage_errors_end_with_one():
            return super().invoke(ctx)


@contextlib.contextmanager
def _usage_errors_end_with_one() -> Iterator[None]:
    try:
        yield
    except typer.TyperException as error:
        error.exit_code = 1
        raise
