"""The findings of a plan with the places in files that they are about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi_easy.domain.migrations.risk import Finding
from fastapi_easy.interfaces.cli.migrate.reports.plan_view import findings_of
from fastapi_easy.interfaces.cli.migrate.tasks import Linted, Place
from fastapi_easy.interfaces.cli.tasks import Target

_STEP: Final = re.compile(r'^\s*"ix": (\d+),?$')


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedFinding:
    """A finding and the line it is about.

    Attributes:
        step: The number of the step, from 1; `None` when it is about the whole plan.

        place: `None` when there is no such file.
    """

    finding: Finding
    step: int | None = None
    place: Place | None = None


def place_findings(linted: Linted, elsewhere: Place | None) -> list[PlacedFinding]:
    """Return the findings of what was looked at, the most dangerous first.

    Args:
        linted: What was looked at.

        elsewhere: The place of those that have none of their own.
    """
    return [
        PlacedFinding(
            finding=each.finding,
            step=each.step,
            place=linted.places.get(each.step - 1, elsewhere) if each.step else elsewhere,
        )
        for each in findings_of(linted.plan)
    ]


def places_in_plan(file: Path, text: str) -> Mapping[int, Place]:
    """Return where each step is in the *text* of a plan, as far as each is on lines of its own."""
    return {
        int(found[1]): Place(file, number)
        for number, line in enumerate(text.splitlines(), 1)
        if (found := _STEP.match(line))
    }


def place_of(target: Target) -> Place | None:
    """Return the file of the module that *target* names, if there is one."""
    module = target.folder.joinpath(*target.path.partition(":")[0].split("."))
    candidates = (module.with_name(f"{module.name}.py"), module / "__init__.py")
    return next((Place(each) for each in candidates if each.is_file()), None)
