"""Any pydantic model as typed query parameters of the user's own FastAPI routes.

```python
class BookWish(BaseModel):
    q: str = ""
    price: Range = Range()      # price.low=5&price.high=9
    tags: list[str] = []        # tags=new&tags=used
    meta: dict[str, int] = {}   # meta[shelf]=3 or meta.shelf=3


@app.get("/wishes")
async def wishes(wish: Annotated[BookWish, QueryParams[BookWish]]) -> int: ...
```

`Annotated` keeps type checkers content: to them *wish* is a `BookWish`. Text is read as pydantic reads it, so that "5"
is an integer. Names the model does not know are left to other parameters of the route, unless the model forbids extras.
Validators find the request in `info.context["request"]`. A fault is FastAPI's `RequestValidationError`.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends as Dependency
from fastapi.params import Query
from pydantic import BaseModel, ValidationError, WithJsonSchema
from starlette.requests import Request

from fastapi_easy.interfaces.http.query_params.plan import Keyed, Leaf, Nested, Plan, Repeated, plan_of

_MAX_PARAMETERS: Final = 1000
_TOKENS: Final = re.compile(r"[^.\[\]]+")


class QueryParams:
    """`QueryParams[Model]` is the dependency that reads *Model* from the query string. See the module."""

    def __class_getitem__(cls, model: Any) -> Dependency:
        """Return the dependency for *model*; the model is inspected once.

        Raises:
            TypeError: *model* is not a pydantic model, or has a field that no query string can spell.
        """
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TypeError(f"QueryParams[...] takes a pydantic model, not {model!r}")
        return Dependency(_reader(model))


@cache
def _reader(model: type[BaseModel]) -> Callable[..., Awaitable[BaseModel]]:
    plan = plan_of(model)
    validate = model.__pydantic_validator__.validate_python

    async def read(request: Request, **documented: object) -> BaseModel:
        # FastAPI passes one argument per documented parameter, but knows no nesting: the query string is read again.
        values = _values(_pairs(request.scope["query_string"]), plan)
        try:
            read: BaseModel = validate(values, context={"request": request})
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False, include_input=False)
            raise RequestValidationError(
                [{**each, "loc": ("query", *each["loc"])} for each in details]
            ) from None
        return read

    # FastAPI reads parameters from the signature: that of the dependency, never that of the user's endpoint.
    read.__signature__ = inspect.Signature([_REQUEST, *_documented(plan)])  # type: ignore[attr-defined]
    return read


_REQUEST: Final = inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)


def _documented(plan: Plan) -> Iterator[inspect.Parameter]:
    """Return a parameter for each leaf, which FastAPI documents and passes on unvalidated."""
    for number, (name, leaf, required) in enumerate(_leaves(plan)):
        schema = dict(leaf.schema)
        # FastAPI writes the default of the parameter over that of the schema.
        default = inspect.Parameter.empty if required else schema.pop("default", None)
        annotation = Annotated[Any, WithJsonSchema(schema), Query(alias=name, description=leaf.description)]
        yield inspect.Parameter(
            f"_{number}", inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
        )


def _leaves(plan: Plan, prefix: str = "", *, required: bool = True) -> Iterator[tuple[str, Leaf, bool]]:
    """Yield the name of each leaf, the leaf, and whether it is always required."""
    for name, part in plan.items():
        if isinstance(part, Nested):
            yield from _leaves(part.plan, f"{prefix}{name}.", required=required and part.required)
        else:
            yield f"{prefix}{name}", part, required and part.required


def _pairs(query_string: bytes) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except UnicodeError:
        raise _validation_error((), "Must be UTF-8", "string_unicode") from None
    except ValueError:
        raise _validation_error(
            (), f"Must not have more than {_MAX_PARAMETERS} parameters", "too_many"
        ) from None
    for name, value in pairs:
        if "\x00" in name or "\x00" in value:
            raise _validation_error((), "Must not contain NUL", "string_unicode")
    return pairs


def _values(pairs: list[tuple[str, str]], plan: Plan) -> dict[str, Any]:
    values = _empty(plan)
    for name, value in pairs:
        _put(values, plan, tuple(_TOKENS.findall(name)) or (name,), value)
    return values


def _empty(plan: Plan) -> dict[str, Any]:
    # A required model is there even without parameters, so that its own defaults and faults show.
    return {
        name: _empty(part.plan) for name, part in plan.items() if isinstance(part, Nested) and part.required
    }


def _put(values: dict[str, Any], plan: Plan, path: tuple[str, ...], value: str) -> None:
    name, *rest = path
    match plan.get(name):
        case Nested(inner) if rest:
            _put(values.setdefault(name, _empty(inner)), inner, tuple(rest), value)
        case Keyed() if rest:
            _set(values.setdefault(name, {}), ".".join(rest), value, path)
        case Repeated() if not rest:
            values.setdefault(name, []).append(value)
        case _:
            _set(values, ".".join(path), value, path)


def _set(values: dict[str, Any], name: str, value: str, path: tuple[str, ...]) -> None:
    if name in values:
        raise _validation_error(path, "Given more than once", "multiple_values")
    values[name] = value


def _validation_error(path: tuple[str, ...], message: str, code: str) -> RequestValidationError:
    return RequestValidationError([{"type": code, "loc": ("query", *path), "msg": message}])
