"""The commands `policy explain` and `policy matrix`."""

import json
from typing import Annotated, Any

import typer

from fastapi_easy.interfaces.cli.output import report_command_errors
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.policy.reports import explanation_text, matrix_text
from fastapi_easy.interfaces.cli.policy.tasks import LoadPolicyTasks, PolicyQuestion
from fastapi_easy.interfaces.cli.tasks import Target

_EXPLAIN_EXAMPLES = """\b
Examples:
  fastapi-easy policy explain shop:app --as user:42 update books/7
  fastapi-easy policy explain shop:app --as user:42 --role editor --claim department=math create books
  fastapi-easy policy explain shop:app --as anonymous list books --json
\b
Exit codes: 0 allowed, 1 not allowed, 2 the question cannot be answered.
"""

_MATRIX_EXAMPLES = """\b
Examples:
  fastapi-easy policy matrix shop:app
  fastapi-easy policy matrix shop:app --json
\b
Exit codes: 0 success, 2 the question cannot be answered.
"""

_ANONYMOUS = "anonymous"
_USER = "user:"


def add_to(cli: typer.Typer, load_tasks: LoadPolicyTasks) -> None:
    """Add the commands below `policy`, which call what *load_tasks* returns, to *cli*."""
    group = typer.Typer(
        name="policy",
        help="Say what callers may do, and why.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )

    @group.command(epilog=_EXPLAIN_EXAMPLES)
    def explain(  # noqa: PLR0913, PLR0917 (what typer makes of each is an option)
        app: TargetPath,
        action: Annotated[str, typer.Argument(metavar="ACTION", show_default=False)],
        entity: Annotated[str, typer.Argument(metavar="RESOURCE[/KEY]", show_default=False)],
        caller: Annotated[
            str,
            typer.Option("--as", metavar="user:ID|anonymous", help="Who would call.", show_default=False),
        ],
        role: Annotated[
            list[str] | None, typer.Option(help="A role of theirs; repeatable.", show_default="none")
        ] = None,
        claim: Annotated[
            list[str] | None,
            typer.Option(
                metavar="NAME=VALUE", help="A claim of theirs, JSON or text; repeatable.", show_default="none"
            ),
        ] = None,
        scope: Annotated[
            list[str] | None,
            typer.Option(
                help="A scope of their credentials, like books:read; repeatable.", show_default="no limit"
            ),
        ] = None,
        tenant: Annotated[
            str | None, typer.Option(help="The tenant they work in.", show_default="none")
        ] = None,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Say what a caller would be answered, and which rule decides. Nothing is done.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """
        question = PolicyQuestion(
            target=Target(path=app, folder=app_dir),
            caller=_id_of(caller),
            roles=tuple(role or ()),
            claims=dict(map(_read_claim, claim or ())),
            scopes=None if scope is None else tuple(scope),
            tenant=tenant,
            action=action,
            entity=entity,
        )
        with report_command_errors(debug=debug):
            found = load_tasks().explain(question)
        typer.echo(json.dumps(found, indent=2) if as_json else explanation_text(found, caller))
        raise typer.Exit(0 if found["decision"] == "allowed" else 1)

    @group.command(epilog=_MATRIX_EXAMPLES)
    def matrix(
        app: TargetPath,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Print who may do what: actions by kind of caller.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """
        with report_command_errors(debug=debug):
            found = load_tasks().matrix(Target(path=app, folder=app_dir))
        typer.echo(json.dumps(found, indent=2) if as_json else matrix_text(found))

    cli.add_typer(group)


def _id_of(caller: str) -> str:
    """Return the id that `--as` names; empty for an anonymous caller."""
    if caller == _ANONYMOUS:
        return ""
    if not caller.startswith(_USER) or caller == _USER:
        raise typer.BadParameter(f"write user:ID or anonymous, not {caller!r}", param_hint="--as")
    return caller.removeprefix(_USER)


def _read_claim(written: str) -> tuple[str, Any]:
    name, equals, value = written.partition("=")
    if not (name and equals):
        raise typer.BadParameter(f"write NAME=VALUE, not {written!r}", param_hint="--claim")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
