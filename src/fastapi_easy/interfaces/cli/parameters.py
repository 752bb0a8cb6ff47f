"""The parameters that several commands share."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

TargetPath: TypeAlias = Annotated[str, typer.Argument(metavar="MODULE:APP", show_default=False)]

Folder: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--app-dir",
        help="The folder in which the module is.",
        exists=True,
        file_okay=False,
        show_default="the current one",
    ),
]

Debug: TypeAlias = Annotated[bool, typer.Option("--debug", help="Show the traceback when the command fails.")]

Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]

CURRENT_FOLDER = Path()
