"""Lists of names in a text: separated by commas."""

from collections.abc import Iterable

from fastapi_easy.application.queries.comparisons import QueryError


def split_names(parameter: str, values: Iterable[str]) -> list[str]:
    """Return the names in *values*, without the spaces around them; an empty value names nothing.

    Args:
        parameter: What it is called in an error.

        values: Texts such as `name,-price`.

    Raises:
        QueryError: There is nothing between two commas, or beside one.
    """
    names = [name.strip() for value in values if value.strip() for name in value.split(",")]
    if not all(names):
        raise QueryError.bad_query(parameter, "Has a comma with no name beside it")
    return names
