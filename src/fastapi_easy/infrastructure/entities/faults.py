"""What pydantic complains of → faults that do not repeat the input."""

from functools import reduce
from typing import Final

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from fastapi_easy.domain.errors import Fault, Invalid
from fastapi_easy.domain.values.json import join_pointer
from fastapi_easy.domain.values.limits import MAX_FAULTS

_OWN_SENTENCE: Final = {"value_error": "Value error, ", "assertion_error": "Assertion failed, "}
"""What pydantic puts in front of the sentence of a rule that the user wrote, by code."""


def to_invalid(error: ValidationError) -> Invalid:
    """Return *error* as faults; the first fifty."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return Invalid(
        tuple(
            Fault(
                reduce(join_pointer, each["loc"], ""),
                each["msg"].removeprefix(_OWN_SENTENCE.get(each["type"], "")),
                each["type"],
            )
            for each in details[:MAX_FAULTS]
        )
    )


def fault_of_rule(pointer: str, error: ValueError | AssertionError) -> tuple[Fault, ...]:
    """Return the faults of a rule of the user's that raised *error* about what is at *pointer*."""
    if isinstance(error, ValidationError):
        return tuple(
            Fault(f"{pointer}{each.pointer}", each.message, each.code) for each in to_invalid(error).faults
        )
    if isinstance(error, PydanticCustomError):
        return (Fault(pointer, error.message(), error.type),)
    code = "value_error" if isinstance(error, ValueError) else "assertion_error"
    return (Fault(pointer, str(error) or "Is refused by a rule of the class", code),)
