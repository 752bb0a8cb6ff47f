"""What the onion promises: the first step is the outermost, and a step may stay out."""

from typing import Any

from returns.result import Success

from fastapi_easy.application.context import Context
from fastapi_easy.application.pipeline.compose import compose
from fastapi_easy.application.pipeline.step import Handler, Step, Target
from fastapi_easy.domain.errors import Outcome
from tests.unit.application.fakes import ADA, target_of

GET = target_of("get")


async def echo(command: Any, context: Context, /) -> Outcome[Any]:
    return Success(command)


def adding(word: str) -> Step:
    """A step that puts *word* behind the command on the way in and behind the answer on the way out."""

    def around(target: Target, handler: Handler[Any, Any]) -> Handler[Any, Any]:
        async def wrapped(command: Any, context: Context, /) -> Outcome[Any]:
            outcome = await handler([*command, f"{word} in"], context)
            return outcome.map(lambda answer: [*answer, f"{word} out"])

        return wrapped

    return around


def only_for(action: str, step: Step) -> Step:
    return lambda target, handler: step(target, handler) if target.action == action else handler


async def test_the_first_step_is_the_outermost() -> None:
    handler = compose((adding("first"), adding("second")), GET, echo)

    outcome = await handler([], ADA)

    assert outcome == Success(["first in", "second in", "second out", "first out"])


def test_without_steps_the_handler_stays_itself() -> None:
    assert compose((), GET, echo) is echo


def test_a_step_with_nothing_to_do_leaves_the_handler_itself() -> None:
    assert compose((only_for("delete", adding("never")),), GET, echo) is echo


async def test_a_step_that_returns_the_handler_leaves_the_others_in_place() -> None:
    steps = (adding("first"), only_for("delete", adding("never")), adding("third"))

    outcome = await compose(steps, GET, echo)([], ADA)

    assert outcome == Success(["first in", "third in", "third out", "first out"])


def test_steps_are_told_what_they_wrap() -> None:
    told: list[Target] = []

    def listening(target: Target, handler: Handler[Any, Any]) -> Handler[Any, Any]:
        told.append(target)
        return handler

    _ = compose((listening, listening), GET, echo)

    assert told == [GET, GET]
