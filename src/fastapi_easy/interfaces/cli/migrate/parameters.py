"""The parameters that several commands of `migrate` share, and what is read from them."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.policy import Approvals

Database: TypeAlias = Annotated[
    str | None, typer.Option(help="The database in the settings.", show_default="the only one, or default")
]

Renames: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--rename",
        metavar="OLD=NEW",
        help="A column (books.title=name) or a table (books=works) has another name now. May be repeated.",
        show_default="none",
    ),
]

Fills: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--fill",
        metavar="COLUMN=SQL",
        help="What rows that exist get in a column that must not be null: books.isbn=\"''\". May be repeated.",
        show_default="none",
    ),
]

Usings: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--using",
        metavar="COLUMN=SQL",
        help="How PostgreSQL converts to a new type: books.year=year::integer. May be repeated.",
        show_default="none",
    ),
]

DropUndeclared: TypeAlias = Annotated[
    bool, typer.Option("--drop-undeclared", help="Drop tables that no resource declares, too.")
]

Online: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--online/--offline",
        help="Let readers and writers go on where the server has a way, in more steps; or do not.",
    ),
]

Allowed: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="WHAT",
        help="Allow caution, dangerous, destructive, or one finding (DS103:books.isbn). May be repeated.",
        show_default="what is safe",
    ),
]

Wait: TypeAlias = Annotated[
    str,
    typer.Option(metavar="TIME", help="How long to wait for another process that migrates: 60s, 5m, 500ms."),
]

PlanFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--plan",
        metavar="FILE",
        help="A plan as `plan --json` has printed it; - is stdin.",
        show_default="made now",
    ),
]

Yes: TypeAlias = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask. Allows nothing that --allow does not.")
]

DEFAULT_WAIT: Final = "60s"

_DURATION: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m|h)?")
_SECONDS: Final[Mapping[str | None, float]] = {None: 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def read_hints(
    *,
    renames: Iterable[str] | None,
    fills: Iterable[str] | None,
    usings: Iterable[str] | None,
    drop_undeclared: bool,
    online: bool,
) -> Hints:
    """Return the hints that the options give.

    Raises:
        typer.BadParameter: One of them has another form, or two contradict each other.
    """
    renamed = _read_pairs("--rename", renames, "books.title=name")
    try:
        return Hints(
            renamed_columns={old: new for old, new in renamed.items() if _is_column(old, new)},
            renamed_tables={old: new for old, new in renamed.items() if not _is_column(old, new)},
            fill=_read_columns("--fill", fills, "books.isbn=''"),
            using=_read_columns("--using", usings, "books.year=year::integer"),
            drop_undeclared=drop_undeclared,
            online=online,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def options_of(hints: Hints) -> list[str]:
    """Return the options that `read_hints` reads as *hints*."""
    pairs = [
        *(("--rename", old, new) for old, new in hints.renamed_tables.items()),
        *(("--rename", old, new) for old, new in hints.renamed_columns.items()),
        *(("--fill", column, expression) for column, expression in hints.fill.items()),
        *(("--using", column, expression) for column, expression in hints.using.items()),
    ]
    return [
        *(word for option, name, value in pairs for word in (option, f"{name}={value}")),
        *(["--drop-undeclared"] if hints.drop_undeclared else []),
        *([] if hints.online else ["--offline"]),
    ]


def read_approvals(allowed: Iterable[str] | None) -> Approvals:
    """Return what the option `--allow` gives.

    Raises:
        typer.BadParameter: A text allows nothing.
    """
    try:
        return Approvals.read(allowed or ())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--allow") from None


def read_wait(text: str) -> float:
    """Return the seconds in *text*, like `60s`, `5m`, `500ms` or `1.5`.

    Raises:
        typer.BadParameter: It is no such time.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise typer.BadParameter(f"{text!r} is not a time: write 60s, 5m or 500ms", param_hint="--wait")
    return float(found["number"]) * _SECONDS[found["unit"]]


def _is_column(old: str, new: str) -> bool:
    """Return whether a rename is that of a column: `books.title=name`, and not `shop.books=shop.works`."""
    return "." in old and "." not in new


def _read_columns(option: str, texts: Iterable[str] | None, example: str) -> dict[str, str]:
    found = _read_pairs(option, texts, example)
    for name in found:
        if not all(name.partition(".")):
            raise typer.BadParameter(
                f"{name!r} is not written as table.column: write {example}", param_hint=option
            )
    return found


def _read_pairs(option: str, texts: Iterable[str] | None, example: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts or ():
        name, _, value = (part.strip() for part in text.partition("="))
        if not name or not value:
            raise typer.BadParameter(f"{text!r} has another form than {example}", param_hint=option)
        if found.setdefault(name, value) != value:
            raise typer.BadParameter(f"{name!r} is given twice", param_hint=option)
    return found
