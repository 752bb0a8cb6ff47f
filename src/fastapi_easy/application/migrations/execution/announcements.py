"""The events of one database, published after what they tell of."""

from collections.abc import Mapping
from typing import TypeVar

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.domain.migrations.events import MigrationEvent
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import Run

_Event = TypeVar("_Event", bound=MigrationEvent)


class Announcer:
    """Publishes events. A publisher that fails is reported: what the event tells of has happened all the same."""

    def __init__(self, collaborators: MigrationCollaborators) -> None:
        self._collaborators = collaborators

    async def announce(
        self, event: type[_Event], plan: MigrationPlan, run: Run | None = None, **facts: object
    ) -> None:
        """Publish an event of the class *event* about *plan*, with *facts* as its own attributes."""
        await self._publish(event, plan.id, plan.checksum, "" if run is None else run.id, facts)

    async def announce_of_run(self, event: type[_Event], run: Run, **facts: object) -> None:
        """Publish an event of the class *event* about *run*, whose recorded plan need not be readable."""
        await self._publish(event, run.plan_id, run.plan_checksum, run.id, facts)

    async def _publish(
        self, event: type[_Event], plan_id: str, checksum: str, run_id: str, facts: Mapping[str, object]
    ) -> None:
        collaborators = self._collaborators
        made = event(
            database=collaborators.store.name,
            plan_id=plan_id,
            plan_checksum=checksum,
            run_id=run_id,
            owner=collaborators.owner,
            occurred_at=collaborators.clock.now(),
            **facts,  # type: ignore[arg-type]  # each event has attributes of its own
        )
        try:
            await collaborators.publish(made)
        except Exception as error:  # noqa: BLE001 - the publisher is the user's, and what it was told is true
            collaborators.report(
                f"the event {made.name} could not be published: {type(error).__name__}: {error}"
            )
