"""The commands below `keys`: create, list, revoke."""

import datetime
import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, NoReturn, cast

import typer
import typer.main
from returns.result import Failure
from typer.core import TyperGroup

from fastapi_easy.domain.authentication.api_key import ApiKey
from fastapi_easy.domain.authentication.api_key_text import parse_key
from fastapi_easy.domain.errors import Error, Invalid, NotFound, Outcome, Unavailable
from fastapi_easy.domain.unavailable import StorageFull
from fastapi_easy.interfaces.cli.keys.lifetime import parse_lifetime
from fastapi_easy.interfaces.cli.keys.tasks import KeyQuestion, LoadKeyTasks
from fastapi_easy.interfaces.cli.output import report_command_errors, table
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import CommandError, Target

_HEADINGS: Final = (
    "ID",
    "OWNER",
    "LABEL",
    "ROLES",
    "TENANT",
    "SCOPES",
    "CREATED",
    "EXPIRES",
    "LAST USED",
    "STATE",
)

_CREATE_EXAMPLES: Final = """\b
Examples:
  fastapi-easy keys create shop:app --for user:42 --scope books:read --expires 90d
  fastapi-easy keys create shop:app --for exporter --role editor --tenant acme --label "nightly export"
"""

Scopes = Annotated[
    list[str] | None,
    typer.Option(
        "--scope", help="A permission it may be used for; repeat it.", show_default="all of its roles"
    ),
]
Roles = Annotated[
    list[str] | None, typer.Option("--role", help="A role of the owner; repeat it.", show_default="none")
]


def build_commands(load_tasks: LoadKeyTasks) -> Mapping[str, Any]:
    """Return the commands by name.

    Args:
        load_tasks: Returns what they call.
    """
    group = typer.Typer(rich_markup_mode=None)

    def ask(app: str, folder: Any, question: KeyQuestion, *, debug: bool) -> Any:
        with report_command_errors(debug=debug):
            return _value_of(load_tasks().ask(Target(path=app, folder=folder), question))

    @group.command(epilog=_CREATE_EXAMPLES)
    def create(  # noqa: PLR0913, PLR0917 (what typer makes of each is an option)
        app: TargetPath,
        owner: Annotated[
            str, typer.Option("--for", help="The id of the principal who calls with it.", show_default=False)
        ],
        scope: Scopes = None,
        role: Roles = None,
        tenant: Annotated[
            str | None, typer.Option(help="The tenant of the owner.", show_default="none")
        ] = None,
        expires: Annotated[str, typer.Option(help="After how long, like 12h, 90d, 8w; or never.")] = "90d",
        label: Annotated[str, typer.Option(help="What it is for.", show_default="none")] = "",
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Issue a key, and print it on stdout, this once: only a hash of it is stored."""
        lifetime = parse_lifetime(expires)
        issued = ask(
            app,
            app_dir,
            lambda keyring: keyring.create(
                owner, label=label, roles=role or (), tenant=tenant, scopes=scope or None, lifetime=lifetime
            ),
            debug=debug,
        )
        if as_json:
            typer.echo(json.dumps({"key": issued.text, **_members(issued.key)}, indent=2))
            return
        until = (
            "does not expire" if issued.key.expires_at is None else f"expires {_show(issued.key.expires_at)}"
        )
        typer.echo(
            f"API key {issued.key.id} for {issued.key.owner}, {until}. It is not shown again:", err=True
        )
        typer.echo(issued.text)

    @group.command("list")
    def list_keys(
        app: TargetPath,
        owner: Annotated[
            str | None, typer.Option("--for", help="Only those of this principal.", show_default="all")
        ] = None,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """List keys, also those that are expired or revoked."""
        keys = ask(app, app_dir, lambda keyring: keyring.list(owner), debug=debug)
        if as_json:
            typer.echo(json.dumps([_members(each) for each in keys], indent=2))
        else:
            typer.echo(table([_HEADINGS, *map(_row, keys)]))

    @group.command()
    def revoke(
        app: TargetPath,
        key_id: Annotated[
            str, typer.Argument(metavar="ID", help="As listed, or the key itself.", show_default=False)
        ],
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Refuse a key from now on; running processes do so within seconds (authentication.api_keys.cached_for)."""
        # Whoever has only the key itself has found it somewhere it should not be.
        given = parse_key(key_id)
        public_id = key_id if given is None else given.id
        revoked = ask(app, app_dir, lambda keyring: keyring.revoke(public_id), debug=debug)
        if as_json:
            typer.echo(json.dumps(_members(revoked), indent=2))
        else:
            typer.echo(f"API key {revoked.id} of {revoked.owner} is revoked.")

    return cast("TyperGroup", typer.main.get_command(group)).commands


def _value_of(answer: Outcome[Any]) -> Any:
    if isinstance(answer, Failure):
        _raise(answer.failure())
    return answer.unwrap()


def _raise(error: Error) -> NoReturn:
    match error:
        case Invalid(faults):
            raise CommandError(
                "\n".join(f"{each.pointer.removeprefix('/')}: {each.message}" for each in faults)
            )
        case NotFound(_, key):
            raise CommandError(f"there is no API key with the id {key}: see keys list", exit_code=1)
        case StorageFull(dependency):
            raise CommandError(f"the database {dependency!r} has no room left")
        case Unavailable(dependency):
            raise CommandError(f"the database {dependency!r} does not answer")
        case other:
            raise CommandError(f"the keys cannot be reached: {other.code}")


def _members(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "owner": key.owner,
        "label": key.label,
        "roles": sorted(key.roles),
        "tenant": key.tenant,
        "scopes": None if key.scopes is None else sorted(key.scopes),
        **{
            name: None if moment is None else _show(moment)
            for name, moment in (
                ("created_at", key.created_at),
                ("expires_at", key.expires_at),
                ("revoked_at", key.revoked_at),
                ("last_used_at", key.last_used_at),
            )
        },
        "state": _state(key),
    }


def _row(key: ApiKey) -> tuple[str, ...]:
    return (
        key.id,
        key.owner,
        key.label or "-",
        ", ".join(sorted(key.roles)) or "-",
        key.tenant or "-",
        "all" if key.scopes is None else ", ".join(sorted(key.scopes)) or "none",
        _show(key.created_at),
        "never" if key.expires_at is None else _show(key.expires_at),
        "never" if key.last_used_at is None else _show(key.last_used_at),
        _state(key),
    )


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "valid" if key.is_valid_at(datetime.datetime.now(datetime.UTC)) else "expired"


def _show(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
