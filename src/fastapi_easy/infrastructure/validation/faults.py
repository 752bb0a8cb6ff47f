"""What pydantic complains of → faults that do not repeat the input."""

from functools import reduce

from pydantic import ValidationError

from fastapi_easy.domain.errors import Fault, Invalid
from fastapi_easy.domain.values.json import MOST_FAULTS, below


def invalid(error: ValidationError) -> Invalid:
    """Return *error* as faults; the first fifty."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return Invalid(
        tuple(
            Fault(reduce(below, each["loc"], ""), each["msg"], each["type"]) for each in details[:MOST_FAULTS]
        )
    )
