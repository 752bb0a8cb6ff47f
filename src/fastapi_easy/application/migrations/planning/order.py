"""What is to be applied."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Approvals


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be applied.

    Attributes:
        plan: What was reviewed; `None` to make a plan.

        approvals: What may be executed beside what is safe.

        hints: What only a person knows.

        until: The index of the step after which to stop.

        select: Returns the part of a plan that is meant.

        at_start: Nobody has asked: what is not safe stays, and nothing is changed below a newer program.
    """

    plan: MigrationPlan | None = None
    approvals: Approvals = field(default_factory=Approvals)
    hints: Hints = field(default_factory=Hints)
    until: int | None = None
    select: Callable[[MigrationPlan], MigrationPlan] = lambda plan: plan
    at_start: bool = False
