"""What mypy knows of an outcome. Checked, never executed."""

from typing import assert_never, assert_type

from fastapi_easy.domain import Error, Failure, NotFound, Outcome, Row, Success


def both_cases_are_all_cases(outcome: Outcome[int]) -> str:
    """Without `case _`: a third case would be missed here."""
    match outcome:
        case Success(number):
            assert_type(number, int)
            return str(number)
        case Failure(error):
            assert_type(error, Error)
            return error.code


def a_forgotten_case_is_a_type_error(outcome: Outcome[int]) -> None:
    match outcome:  # type: ignore[exhaustive-match]
        case Success(number):
            assert_type(number, int)


def what_is_no_failure_is_a_success(outcome: Outcome[Row]) -> Row | Error:
    if isinstance(outcome, Failure):
        assert_type(outcome, Failure[Error])
        return assert_type(outcome.failure(), Error)
    assert_type(outcome, Success[Row])
    return assert_type(outcome.unwrap(), Row)


def a_failure_is_passed_on_as_it_is(outcome: Outcome[Row]) -> Outcome[int]:
    """The early return of every handler: a failure of one outcome is a failure of any other."""
    if isinstance(outcome, Failure):
        return outcome
    return Success(len(outcome.unwrap()))


def nothing_is_left_after_both(outcome: Outcome[None]) -> None:
    if isinstance(outcome, Failure):
        return
    if isinstance(outcome, Success):
        return
    assert_never(outcome)


def members_of_the_union_are_failures(key: int) -> Outcome[Row]:
    return Failure(NotFound("books", key))


def other_failures_are_type_errors() -> Outcome[Row]:
    return Failure("not one of ours")  # type: ignore[arg-type]
