"""Write a migration script from a comparison."""

from dataclasses import dataclass, field

from returns.result import Failure, Success

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.planning.asked_plan import make_asked_plan
from fastapi_easy.domain.errors import Outcome, Unsupported
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteScript:
    """Write a script that leads from the stored schema to the declared one.

    Attributes:
        message: What it is about, in a few words.

        hints: What only a person knows.
    """

    message: str
    hints: Hints = field(default_factory=Hints)


class WriteScriptHandler:
    """Carries out `WriteScript`."""

    def __init__(self, collaborators: MigrationCollaborators) -> None:
        self._collaborators = collaborators

    async def __call__(self, command: WriteScript, /) -> Outcome[str]:
        """Write the script, and change nothing in the database.

        Returns:
            Where it is; an empty text when there is nothing to write.

        Fails with:
            Unsupported: There are no scripts for this database.

            MigrationStopped: `DRIFT` when earlier scripts are not applied yet: the comparison would repeat what they
                do. Else what the scripts say.

            Unavailable: The database does not answer.
        """
        collaborators = self._collaborators
        scripts, database = collaborators.scripts, collaborators.store.name
        if scripts is None:
            return Failure(Unsupported("migrations", "scripts"))
        read = await collaborators.store.history()
        if isinstance(read, Failure):
            return read
        pending = await scripts.pending(read.unwrap())
        if isinstance(pending, Failure):
            return pending
        if pending.unwrap():
            message = "earlier scripts are not applied to this database yet: apply them, and write the next one then"
            revisions = tuple(each.revision for each in pending.unwrap())
            return Failure(MigrationStopped(database, MigrationStop.DRIFT, message, details=revisions))
        found = await make_asked_plan(collaborators, command.hints, from_models=True)
        if isinstance(found, Failure):
            return found
        plan = found.unwrap().plan
        if not plan:
            return Success("")
        return await scripts.make(plan, command.message, command.hints)
