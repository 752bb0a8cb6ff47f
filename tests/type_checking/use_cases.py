"""What mypy knows of the use cases: each command and its answer belong together. Checked, never executed."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, assert_type

from fastapi_easy.application import (
    NOBODY,
    Action,
    Context,
    CountEntities,
    CreateEntity,
    DeleteEntity,
    GetEntity,
    Handler,
    Kernel,
    ListEntities,
    PerformAction,
    ReplaceEntity,
    Step,
    Target,
    UpdateEntity,
    UseCases,
)
from fastapi_easy.application.pipeline.compose import compose
from fastapi_easy.domain import Failure, Key, Outcome, Page, Patch, Query, Row, Success
from fastapi_easy.domain.ports import UnitOfWork


def handlers_know_their_command_and_answer(books: UseCases) -> None:
    assert_type(books.create, Handler[CreateEntity, Row])
    assert_type(books.get, Handler[GetEntity, Row])
    assert_type(books.list, Handler[ListEntities, Page[Row]])
    assert_type(books.count, Handler[CountEntities, int])
    assert_type(books.replace, Handler[ReplaceEntity, Row])
    assert_type(books.update, Handler[UpdateEntity, Row])
    assert_type(books.delete, Handler[DeleteEntity, None])
    assert_type(books.actions["sell"], Handler[PerformAction, Any])


async def answers_are_outcomes(kernel: Kernel) -> None:
    books = assert_type(kernel.use_cases("books"), UseCases)
    _ = assert_type(books.get(GetEntity(1), NOBODY), Awaitable[Outcome[Row]])
    assert_type(await books.list(ListEntities(Query()), NOBODY), Outcome[Page[Row]])
    assert_type(await books.delete(DeleteEntity(1), NOBODY), Outcome[None])


async def the_command_of_another_handler_is_a_type_error(books: UseCases) -> None:
    _ = await books.get(DeleteEntity(1), NOBODY)  # type: ignore[arg-type]


async def a_user_asks_and_looks_at_both_answers(books: UseCases) -> str:
    match await books.get(GetEntity(1), NOBODY):
        case Success(row):
            return str(assert_type(row, Row).title)
        case Failure(error):
            return assert_type(error.code, str)


def questions_are_outcomes(books: UseCases) -> None:
    assert_type(books.queries.from_parameters([("sort", "id")]), Outcome[Query])
    assert_type(books.queries.read_key("1"), Outcome[Key])


class CountWords:
    """A handler of a user's own."""

    async def __call__(self, command: str, context: Context, /) -> Outcome[int]:
        """Count them."""
        return Success(len(command.split()))


def a_class_or_a_function_can_be_a_handler() -> Handler[str, int]:
    return CountWords()


def the_answer_of_another_handler_is_a_type_error() -> Handler[str, str]:
    return CountWords()  # type: ignore[return-value]


def nothing_to_add(target: Target, handler: Handler[Any, Any]) -> Handler[Any, Any]:
    return handler


def steps_are_plain_functions(target: Target) -> None:
    step: Step = nothing_to_add
    assert_type(compose([step], target, CountWords()), Handler[Any, Any])


@dataclass(frozen=True)
class SellBook:
    """An action of a user's own."""

    copies: int

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Row]:
        """Take them off the shelf."""
        return await work.repository("books").update(key, Patch({"copies": -self.copies}))


def a_dataclass_with_perform_is_an_action() -> Action:
    return SellBook(copies=2)


def a_dataclass_without_it_is_none() -> Action:
    return CreateEntity({})  # type: ignore[return-value]
