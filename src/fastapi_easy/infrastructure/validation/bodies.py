"""The fields callers may give → a type whose values are just those that were set."""

from collections.abc import Container, Iterable
from typing import Annotated, Any, Final, NotRequired, Required

import pydantic
from pydantic import ConfigDict
from typing_extensions import TypedDict

from fastapi_easy.domain.field import Field
from fastapi_easy.infrastructure.validation.kinds import input_type

_STRICT: Final = ConfigDict(strict=True, extra="forbid")
_typed_dict: Any = TypedDict  # mypy wants literals


def body_type(
    fields: Iterable[Field], title: str, *, partial: bool, by_alias: bool, stamped: Container[str] = ()
) -> Any:
    """Make a typed dictionary of *fields*: it validates to just those that were set, and a field may have any name.

    Args:
        fields: What callers may give.

        title: What it is called.

        partial: None of them has to be given.

        by_alias: They are called by their aliases, as callers do, and not by their names.

        stamped: Those that need not be given because a policy may set them.
    """
    members = {}
    for field in fields:
        annotation: Any = Annotated[input_type(field), pydantic.Field(description=field.description)]
        required = field.required and not partial and field.name not in stamped
        name = field.alias if by_alias and field.alias is not None else field.name
        members[name] = Required[annotation] if required else NotRequired[annotation]
    schema = _typed_dict(title, members)
    schema.__pydantic_config__ = _STRICT
    return schema
