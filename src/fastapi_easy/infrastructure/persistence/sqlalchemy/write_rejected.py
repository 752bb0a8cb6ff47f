"""A write that cannot be made."""

from fastapi_easy.domain.errors import Error


class WriteRejected(Exception):
    """Raised for a write that cannot be made; caught by the repository, which returns its error.

    Attributes:
        error: What the repository returns.
    """

    def __init__(self, error: Error) -> None:
        self.error = error
        super().__init__(error.code)
