"""The plans beside scripts: what was reviewed, with everything that the script does not say."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi_easy.domain.migrations.change import ChangeKind, Facts
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import Run
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.domain.migrations.stopped import MigrationStop
from fastapi_easy.infrastructure.migrations.scripts.refusal import ScriptRefusal
from fastapi_easy.infrastructure.migrations.scripts.script import Script


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocuments:
    """How plans are written as documents.

    Attributes:
        write: Returns the text of a plan.

        read: Returns the plan of a text. Raises `ValueError` for one that is none, or was changed.
    """

    write: Callable[[MigrationPlan], str]
    read: Callable[[str], MigrationPlan]

    def of(self, script: Script) -> MigrationPlan | None:
        """Return the plan beside *script*, if it is that of what the script does now.

        Raises:
            ScriptRefusal: The file is no plan, or was changed.
        """
        plan = self._beside(script)
        return plan if plan and recorded_in(plan.steps).get(script.revision) == script.checksum else None

    def is_on_existing(self, script: Script) -> bool:
        """Return whether *script* was made for a database that had tables, and no script before it.

        Raises:
            ScriptRefusal: The file is no plan, or was changed.
        """
        plan = self._beside(script)
        return plan is not None and any(each.get("on_existing", False) for each in _recordings(plan.steps))

    def _beside(self, script: Script) -> MigrationPlan | None:
        file = script.plan_file
        if not file.is_file():
            return None
        try:
            return self.read(file.read_text("utf-8"))
        except (ValueError, OSError) as error:
            raise ScriptRefusal(
                f"{file}: {error}. Without the file the steps are made of the script", MigrationStop.CHANGED
            ) from error

    def keep(self, script: Script, plan: MigrationPlan) -> None:
        """Write *plan* beside *script*."""
        _ = script.plan_file.write_text(self.write(plan) + "\n", "utf-8")

    def checksums(self, run: Run) -> dict[str, str]:
        """Return the checksums of the scripts that *run* has carried out, by revision, as far as known."""
        try:
            plan = self.read(run.plan)
        except ValueError:
            return {}
        return {revision: found for revision, found in recorded_in(plan.steps).items() if found}


def is_recording(step: Step) -> bool:
    """Return whether *step* only keeps the table of revisions."""
    return all(each.kind is ChangeKind.RECORD_REVISION for each in step.changes)


def without_recording(plan: MigrationPlan) -> tuple[Step, ...]:
    """Return the steps of *plan* that do what its script says."""
    return tuple(each for each in plan.steps if not is_recording(each))


def recorded_in(steps: tuple[Step, ...]) -> dict[str, str]:
    """Return the checksums of scripts by the revisions that *steps* record."""
    return {each.get("revision", ""): each.get("script_checksum", "") for each in _recordings(steps)}


def _recordings(steps: tuple[Step, ...]) -> list[Facts]:
    return [
        change.facts
        for step in steps
        for change in step.changes
        if change.kind is ChangeKind.RECORD_REVISION and change.facts.get("revision")
    ]
