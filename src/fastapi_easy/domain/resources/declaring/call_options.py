"""The options of a declaration that are about calls: how they read, and how they are repeated."""

from fastapi_easy.domain.resources.declaring.mistakes import Mistakes
from fastapi_easy.domain.resources.options import IdempotencyKeys, Reading


def check_reading(given: Reading | str, mistakes: Mistakes) -> Reading:
    """Return the way of reading that was *given*; add a mistake when it is none."""
    named = mistakes.names(
        "reading", [given], [each.value for each in Reading], "which is not a way of reading"
    )
    return Reading(named[0]) if named else Reading.LENIENT


def check_idempotency(given: IdempotencyKeys | str, mistakes: Mistakes) -> bool:
    """Return whether calls need an idempotency key, as *given*; add a mistake when it says neither."""
    known = [each.value for each in IdempotencyKeys]
    named = mistakes.names("idempotency", [given], known, "which is neither optional nor required")
    return IdempotencyKeys.REQUIRED in named
