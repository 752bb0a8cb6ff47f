"""What operators are told of a database that does not answer, or lets nobody in."""

from typing import Final

from fastapi_easy.domain.errors import Error, Unavailable
from fastapi_easy.domain.unavailable import REFUSALS, UnavailableReason

_CAUSES: Final = {
    UnavailableReason.ACCESS_DENIED: "refuses the user or the password",
    UnavailableReason.UNKNOWN_DATABASE: "has no such database",
    UnavailableReason.TIMEOUT: "takes too long",
    UnavailableReason.OVERLOAD: "has no free connection",
}


def describe_silence(error: Error, name: str) -> str:
    """Return that the database *name* does not answer, with what its driver said and which setting says where it is.

    Args:
        error: What came instead of an answer.

        name: Its name in the settings.
    """
    detail = error.detail if isinstance(error, Unavailable) else ""
    if not detail:
        return "does not answer"
    is_refused = isinstance(error, Unavailable) and error.reason in REFUSALS
    what = "refuses this program" if is_refused else "does not answer"
    return f"{what}: {detail}; the setting databases.{name}.url says where it is"


def cause_of(error: Error) -> str:
    """Return why a dependency is down, in words that name neither a host nor a user, for whoever may ask."""
    return _CAUSES.get(error.reason, "does not answer") if isinstance(error, Unavailable) else error.code
