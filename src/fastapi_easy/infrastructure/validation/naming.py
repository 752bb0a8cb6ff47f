"""What the user's own schemas call fields outside, on which they and the entity have to agree."""

import dataclasses
from collections.abc import Mapping

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.field import Field
from fastapi_easy.domain.resources.options import Schemas
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.infrastructure.entities.aliases import takes_names


def named(shape: Shape, schemas: Schemas, entity: Shape | None = None) -> Shape:
    """Return *shape* with what callers call its fields. An entity without an alias leaves it to *schemas*.

    Args:
        shape: What is stored.

        schemas: The user's own.

        entity: What callers meet, where that is another class than the stored one.

    Raises:
        DeclarationError: With every field that is called in two ways.
    """
    if entity is not None:
        met = {field.name: field for field in entity.fields}
        stored = (
            dataclasses.replace(field, alias=met[field.name].alias, by_name=met[field.name].by_name)
            for field in shape.fields
        )
        shape = dataclasses.replace(shape, fields=tuple(stored))
    mistakes: list[str] = []
    models = {
        f"schemas.{purpose}": model
        for purpose in ("create", "update", "read")
        if isinstance(model := getattr(schemas, purpose), type) and issubclass(model, BaseModel)
    }
    fields = tuple(_named(field, models, mistakes) for field in shape.fields) if models else shape.fields
    if mistakes:
        raise DeclarationError(mistakes)
    return dataclasses.replace(shape, fields=fields)


def key_in(model: type[BaseModel], name: str) -> str:
    """Return what a document for *model* calls field *name*."""
    alias = model.model_fields[name].validation_alias
    return (
        alias if isinstance(alias, str) and model.model_config.get("validate_by_alias") is not False else name
    )


def _named(field: Field, models: Mapping[str, type[BaseModel]], mistakes: list[str]) -> Field:
    said = {} if field.alias is None else {"the entity": field.alias}
    by_name = field.by_name
    for speaker, model in models.items():
        info = model.model_fields.get(field.name)
        if info is None or info.exclude:
            continue
        if not isinstance(info.validation_alias, str | None):
            mistakes.append(
                f"{speaker}: {field.name!r} has an AliasPath or AliasChoices: give it one text as alias"
            )
        said[speaker] = _word(speaker, model, field.name, info)
        by_name = by_name or takes_names(model)
    words = list(dict.fromkeys(said.values()))
    if len(words) > 1:
        told = ", ".join(f"{word!r} by {speaker}" for speaker, word in said.items())
        mistakes.append(f"{field.name!r} is called {told}: give it the same alias everywhere")
    alias = words[0] if words and words[0] != field.name else None
    return dataclasses.replace(field, alias=alias, by_name=by_name)


def _word(speaker: str, model: type[BaseModel], name: str, info: FieldInfo) -> str:
    return (info.serialization_alias or name) if speaker.endswith("read") else key_in(model, name)
