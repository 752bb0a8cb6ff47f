"""The caller, for an application's own routes."""

from typing import Any, Final

from fastapi import FastAPI, HTTPException
from fastapi.params import Depends as DependsParam
from fastapi.requests import HTTPConnection
from returns.result import Failure

from fastapi_easy.domain import ANONYMOUS, Principal
from fastapi_easy.interfaces.http.authentication.caller_identification import CallerIdentification
from fastapi_easy.interfaces.http.dependencies.principal import principal_from
from fastapi_easy.interfaces.http.exchange import ProblemError, header_map
from fastapi_easy.interfaces.http.problems import problem_of
from fastapi_easy.interfaces.http.unhandled_exceptions import HttpProblem

_STATE: Final = "caller_identification"


async def current_principal(connection: HTTPConnection) -> Principal:
    """Return who calls, as resources know them; `ANONYMOUS` for a caller who gave no credentials.

    A FastAPI dependency for routes of your own, in an application that has the resources of a container:
    `Annotated[Principal, Depends(current_principal)]`. Where the application was given `principal=`, it is what that
    dependency returns.

    Raises:
        HTTPException: The credentials are not valid (401), they are a cookie that a page of another site may have made
            the browser send (403), or what is needed to verify them does not answer (503).

        RuntimeError: The application has no container.
    """
    state = connection.app.state
    if not hasattr(state, _STATE):
        raise RuntimeError(
            "current_principal needs an application of create_app or mount_resources; one that was given principal= "
            "needs its entry in app.dependency_overrides, which was removed"
        )
    identification: CallerIdentification | None = getattr(state, _STATE)
    if identification is None:
        return ANONYMOUS
    try:
        outcome = await identification.identify(connection.scope, header_map(connection.scope["headers"]))
    except ProblemError as error:
        raise HttpProblem(error.problem) from None
    if isinstance(outcome, Failure):
        problem = problem_of(outcome.failure())
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in problem.headers}
        raise HTTPException(problem.status, problem.detail, headers)
    return outcome.unwrap()


def provide_current_principal(
    app: FastAPI, identification: CallerIdentification | None, principal: DependsParam | None
) -> None:
    """Let `current_principal` answer in routes of *app*.

    Args:
        app: The application.

        identification: Identifies callers; `None` where there are no authenticators.

        principal: The application's own dependency, which takes the place of the authenticators.
    """
    if principal is None:
        setattr(app.state, _STATE, identification)
        return

    async def own_principal(caller: Any = principal) -> Principal:
        return principal_from(caller, principal)

    app.dependency_overrides[current_principal] = own_principal
