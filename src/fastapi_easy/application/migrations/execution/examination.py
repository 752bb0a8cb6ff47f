"""What can be seen of each step of a run that has not ended."""

from dataclasses import dataclass

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import Run, StepState
from fastapi_easy.domain.migrations.step import Effect, StepMode
from fastapi_easy.domain.ports.schema_store import SchemaStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is recorded of a step, and what can be seen of it.

    Attributes:
        index: Its place in the plan, from 0.

        summary: What it does.

        state: As recorded.

        effect: As seen in the database. A step that is done may not be seen any more, since a later one has replaced
            what it made.

        is_in_doubt: The record does not say whether it took effect.

        has_cleanup: What an attempt has left can be removed.

        advice: What follows, for people.
    """

    index: int
    summary: str
    state: StepState
    effect: Effect
    is_in_doubt: bool
    has_cleanup: bool
    advice: str


async def examine(store: SchemaStore, run: Run, plan: MigrationPlan) -> Outcome[tuple[Verdict, ...]]:
    """Look for the effect of each step of *run*; nothing is changed.

    Fails with:
        Unavailable: The database does not answer.
    """
    found: list[Verdict] = []
    for record, step in zip(run.steps, plan.steps, strict=True):
        probed = await store.probe(step)
        if isinstance(probed, Failure):
            return probed
        effect = probed.unwrap()
        in_doubt = step.mode is not StepMode.BATCHES and (
            record.state is StepState.RUNNING
            or (record.state is StepState.FAILED and step.mode is StepMode.AUTOCOMMIT)
        )
        found.append(
            Verdict(
                index=record.index,
                summary=step.summary,
                state=record.state,
                effect=effect,
                is_in_doubt=in_doubt,
                has_cleanup=bool(step.cleanup),
                advice=_advise(record.state, effect, in_doubt=in_doubt, has_cleanup=bool(step.cleanup)),
            )
        )
    return Success(tuple(found))


def is_unclear(verdict: Verdict) -> bool:
    """Return whether only a person can say what holds of the step."""
    return verdict.is_in_doubt and (
        verdict.effect is Effect.UNKNOWN or (verdict.effect is Effect.PARTIAL and not verdict.has_cleanup)
    )


def keeps_from_going_on(verdict: Verdict) -> bool:
    """Return whether the run is blocked again when nobody says what holds of the step."""
    is_of_others = (
        verdict.is_in_doubt and verdict.state is StepState.FAILED and verdict.effect is Effect.APPLIED
    )
    return is_unclear(verdict) or is_of_others


def state_by_effect(verdict: Verdict) -> StepState | None:
    """Return the state that a step in doubt has by what can be seen; `None` for the recorded one."""
    if not verdict.is_in_doubt:
        return None
    match verdict.effect:
        case Effect.APPLIED:
            return StepState.DONE
        case Effect.NOT_APPLIED:
            return StepState.PENDING
        case Effect.PARTIAL | Effect.UNKNOWN:
            return None


def _advise(state: StepState, effect: Effect, *, in_doubt: bool, has_cleanup: bool) -> str:
    if not in_doubt:
        return "nothing to decide" if state is not StepState.FAILED else "it failed and has left nothing"
    match effect:
        case Effect.APPLIED if state is StepState.FAILED:
            return (
                "it failed, and its effect is there: adopt takes it for done, abandon leaves it to its maker"
            )
        case Effect.APPLIED:
            return "it took effect: adopt takes it for done"
        case Effect.NOT_APPLIED:
            return "it did not take effect: adopt or retry"
        case Effect.PARTIAL if has_cleanup:
            return "some of it took effect, which is removed before it is executed again: retry"
        case Effect.PARTIAL:
            return "some of it took effect: mend it by hand, then mark_done or retry"
        case Effect.UNKNOWN:
            return "nobody can see whether it took effect: look, then mark_done or retry"
