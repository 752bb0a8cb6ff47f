"""Who calls, as a dependency of the application answers it."""

from typing import Any

from fastapi.params import Depends

from fastapi_easy.domain import ANONYMOUS, DeclarationError, Principal
from fastapi_easy.interfaces.http.fastapi_internals import get_parameterless_sub_dependant


def principal_dependency(given: Any) -> Depends | None:
    """Return the dependency that answers who calls, of what an application was *given* as `principal`.

    Args:
        given: A function, a `Depends(...)` of one, or `None`.

    Raises:
        DeclarationError: It is something else.

        FastAPIError: FastAPI cannot read the parameters of the function.
    """
    if given is None:
        return None
    found = given if isinstance(given, Depends) else Depends(given)
    if not callable(found.dependency):
        raise DeclarationError(
            [
                f"the application: principal is {given!r}, which cannot be called: pass a function or Depends(...)"
            ]
        )
    _ = get_parameterless_sub_dependant(depends=found, path="/")
    return found


def principal_from(answered: object, dependency: Depends) -> Principal:
    """Return the caller that *dependency* has *answered*: `None` is somebody who did not say.

    Raises:
        TypeError: It answered something else than a `Principal` or `None`.
    """
    if answered is None:
        return ANONYMOUS
    if not isinstance(answered, Principal):
        name = getattr(dependency.dependency, "__qualname__", repr(dependency.dependency))
        raise TypeError(
            f"principal={name} must return a Principal of fastapi_easy.domain, or None, and returned a "
            f"{type(answered).__qualname__}"
        )
    return answered
