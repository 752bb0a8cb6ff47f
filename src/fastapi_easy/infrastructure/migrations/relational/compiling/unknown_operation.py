"""An operation that nobody knows how to carry out."""

from fastapi_easy.domain.errors import DeclarationError


class UnknownOperation(DeclarationError, NotImplementedError):
    """An operation that nobody knows how to carry out: nothing is left out silently.

    Args:
        operation: What was met.
    """

    def __init__(self, operation: object) -> None:
        name = type(operation).__name__
        super().__init__(
            [f"the schema cannot be changed by {name}: write the change as SQL in a migration script"]
        )
