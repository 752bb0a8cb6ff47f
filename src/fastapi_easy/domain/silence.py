"""What operators are told of a database that does not answer."""

from fastapi_easy.domain.errors import Error, Unavailable


def describe_silence(error: Error, name: str) -> str:
    """Return that the database *name* does not answer, with what its driver said and which setting says where it is.

    Args:
        error: What came instead of an answer.

        name: Its name in the settings.
    """
    detail = error.detail if isinstance(error, Unavailable) else ""
    if not detail:
        return "does not answer"
    return f"does not answer: {detail}; the setting databases.{name}.url says where it is"
