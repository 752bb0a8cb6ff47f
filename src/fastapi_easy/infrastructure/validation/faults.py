"""What pydantic complains of → faults that do not repeat the input."""

from functools import reduce

from pydantic import ValidationError

from fastapi_easy.domain.errors import Fault, Invalid
from fastapi_easy.domain.values.json import join_pointer
from fastapi_easy.domain.values.limits import MAX_FAULTS


def to_invalid(error: ValidationError) -> Invalid:
    """Return *error* as faults; the first fifty."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return Invalid(
        tuple(
            Fault(reduce(join_pointer, each["loc"], ""), each["msg"], each["type"])
            for each in details[:MAX_FAULTS]
        )
    )
