"""The kernel of an application, which follows the providers behind it."""

import secrets
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, cast

from dependency_injector import providers

from fastapi_easy.application.calls.caller import Caller
from fastapi_easy.application.context import Context
from fastapi_easy.application.history.history_request import HistoryRequests
from fastapi_easy.application.kernel import Kernel
from fastapi_easy.application.operations import OPERATIONS
from fastapi_easy.application.pipeline.compose import compose
from fastapi_easy.application.pipeline.step import Handler, Step, Target
from fastapi_easy.application.queries.limits import QueryLimits
from fastapi_easy.application.queries.query_reader import QueryReader
from fastapi_easy.application.secrets.password_verifier import PasswordVerifier
from fastapi_easy.application.use_cases import UseCases
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.configuration import configurations_in, find_configuration_mistakes
from fastapi_easy.composition.memoized import Inputs, MemoizedDelegate
from fastapi_easy.domain.errors import DeclarationError, Outcome
from fastapi_easy.domain.ports import PasswordHasher
from fastapi_easy.domain.resources.resource import Resource

__all__ = ["make_kernel"]


def make_kernel(application: Application) -> Kernel:
    """Return the kernel of *application*.

    Raises:
        DeclarationError: With every mistake of every declaration.
    """
    mistakes = list(find_configuration_mistakes(configurations_in(application), application.declarations))
    if mistakes:
        raise DeclarationError(mistakes)
    settings = application.settings()
    limits = QueryLimits(**settings.query.model_dump())
    secret = settings.secret.get_secret_value().encode() if settings.secret else secrets.token_bytes(32)
    return Kernel(
        {
            name: _use_cases(
                application.providers[name], application.steps, limits, secret, application.password_hasher
            )
            for name in application.declarations
        },
        Caller(clock=lambda: application.clock().monotonic()),
        {
            each.database: application.providers[name].unit_of_work  # type: ignore[attr-defined]
            for name, each in reversed([*application.declarations.items()])
        },
    )


def _use_cases(
    declared: Any,
    steps: providers.Provider[Sequence[Step]],
    limits: QueryLimits,
    secret: bytes,
    hasher: providers.Provider[PasswordHasher],
) -> UseCases:
    checked: Resource[Any] = declared.resource()
    passwords = None
    if checked.secrets is not None and checked.secrets.passwords:
        # What it is made with is missing at start, if it is.
        _ = hasher()
        passwords = PasswordVerifier(checked, declared.repository, hasher)
    use_cases = _FollowingUseCases.__new__(_FollowingUseCases)
    put = partial(object.__setattr__, use_cases)
    put("_declared", declared)
    put("_steps", steps)
    put("_validator", MemoizedDelegate(declared.validator))
    put("resource", checked)
    put("queries", QueryReader(checked, limits, secret))
    put("histories", HistoryRequests(checked, secret))
    put("validator", declared.validator)
    put("passwords", passwords)
    put("actions", {name: use_cases.handler_of(name, declared.perform) for name in checked.actions or {}})
    return use_cases


class _FollowingUseCases(UseCases):
    """Use cases of which each is made when it is first asked for: most programs use few of them."""

    __slots__ = ("_declared", "_steps", "_validator")

    _declared: Any
    _steps: providers.Provider[Sequence[Step]]
    _validator: MemoizedDelegate

    def __getattr__(self, name: str) -> Any:
        definition = _BY_ATTRIBUTE.get(name)
        if definition is None:
            raise AttributeError(name)
        handler = self.handler_of(definition.operation, getattr(self._declared, name))
        object.__setattr__(self, name, handler)
        return handler

    def handler_of(self, action: str, provider: providers.Provider[Any]) -> Handler[Any, Any]:
        """Return the handler of *action*, which follows *provider*."""
        target = Target(self.resource, action, self.validator)
        return _make_following_handler(target, provider, self._steps, self._validator)


_BY_ATTRIBUTE: Final = {each.attribute: each for each in OPERATIONS.values()}


def _make_following_handler(
    target: Target,
    provider: providers.Provider[Any],
    steps: providers.Provider[Sequence[Step]],
    validator: MemoizedDelegate,
) -> Handler[Any, Any]:
    """Return a handler within *steps* that follows *provider*, and is composed again only after something changed."""
    inputs: Inputs | None = None
    current_steps: Sequence[Step] | None = None
    composed: Handler[Any, Any]

    def call_provider(command: Any, context: Context, /) -> Awaitable[Outcome[Any]]:
        return cast("Awaitable[Outcome[Any]]", provider()(command, context))

    def handle(command: Any, context: Context, /) -> Awaitable[Outcome[Any]]:
        nonlocal inputs, current_steps, composed
        if inputs is None or inputs.have_changed():
            current = steps()
            # Steps have state, such as the number of calls that pay for a retry: they are kept when only the handler
            # inside of them has changed. An overriding provider is called each time, because it decides how often it
            # makes a handler.
            must_ask_provider = current is current_steps or provider.last_overriding is not None
            watched = (
                Inputs(steps)
                if current is current_steps
                else Inputs(MemoizedDelegate(provider), steps, validator)
            )
            # `watched` was read before the handler is composed: a change in between is seen by the next call.
            current_target = target if current is current_steps else replace(target, validator=validator())
            composed = compose(current, current_target, call_provider if must_ask_provider else provider())
            current_steps, inputs = current, watched
        return composed(command, context)

    return handle
