"""A comparison with what an answer shows, in stores that may hold what a field cannot."""

from dataclasses import dataclass

from fastapi_easy.domain.errors import Fault
from fastapi_easy.domain.queries.specification import Where
from fastapi_easy.domain.values.unexpected import UnexpectedValue


@dataclass(frozen=True, slots=True)
class ShownWhere(Where):
    """A field that is one of several values, or none of them, of which some have another type than the field.

    The operator is IN or NOT_IN. An `UnexpectedValue` among the values means only what the kind of the field cannot
    hold, so that a value which it can hold is found by its own spelling alone.

    Attributes:
        doubted: Those of the values that are a mistake unless the store holds one of them.

        fault: What is wrong with them then.
    """

    doubted: tuple[UnexpectedValue, ...] = ()
    fault: Fault | None = None

    @property
    def fitting(self) -> tuple[object, ...]:
        """The values that are of the field's kind."""
        return tuple(each for each in self.value if not isinstance(each, UnexpectedValue))

    @property
    def unexpected(self) -> tuple[UnexpectedValue, ...]:
        """The values that are not."""
        return tuple(each for each in self.value if isinstance(each, UnexpectedValue))
