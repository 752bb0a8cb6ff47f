"""What pydantic calls the fields of a model outside → the one name of each that callers use."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from fastapi_easy.domain.errors import DeclarationError


def aliases_of(model: type[BaseModel]) -> Mapping[str, str]:
    """Return what callers call the fields of *model* that they do not call by their names.

    A field has one name outside, in bodies and answers alike. Where only one of them was given an alias, it counts for
    both.

    Raises:
        DeclarationError: With every field that has two, or one that is no plain text.
    """
    mistakes: list[str] = []
    aliases: dict[str, str] = {}
    for name, info in model.model_fields.items():
        given = list(_given(model, info))
        texts = list(dict.fromkeys(each for each in given if isinstance(each, str)))
        if not all(isinstance(each, str) for each in given):
            mistakes.append(
                f"{model.__name__}.{name} has an AliasPath or AliasChoices: give it one string as alias"
            )
        elif len(texts) > 1:
            words = " and ".join(map(repr, texts))
            mistakes.append(
                f"{model.__name__}.{name} has the aliases {words}: give it one alias for requests and responses"
            )
        elif texts and texts[0] != name:
            aliases[name] = texts[0]
    if mistakes:
        raise DeclarationError(mistakes)
    return aliases


def accepts_field_names(model: type[BaseModel]) -> bool:
    """Return whether bodies of *model* may call fields by their names besides their aliases."""
    config = model.model_config
    return bool(config.get("populate_by_name") or config.get("validate_by_name"))


def _given(model: type[BaseModel], info: FieldInfo) -> Iterator[object]:
    if info.validation_alias is not None and model.model_config.get("validate_by_alias") is not False:
        yield info.validation_alias
    if info.serialization_alias is not None:
        yield info.serialization_alias
