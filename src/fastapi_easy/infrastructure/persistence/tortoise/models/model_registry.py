"""Which models belong together, and telling Tortoise so before any of them is looked at."""

import contextlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, Final, TypeAlias

from tortoise import Model
from tortoise.apps import Apps
from tortoise.connection import ConnectionHandler
from tortoise.exceptions import ConfigurationError

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.infrastructure.persistence.tortoise.tortoise_internals import meta_of

Models: TypeAlias = Mapping[str, list[type[Model]]]
"""By the label of their app, in the order they were found."""

DEFAULT_LABEL: Final = "models"
"""The app of models without one; the name is that of Tortoise's own documentation."""


def register_models(seeds: Iterable[type[Model]]) -> Models:
    """Register *seeds*, the models they refer to, and those of the same modules, and resolve their relations.

    Raises:
        DeclarationError: A relation leads nowhere, or the models contradict each other.
    """
    found = _group_by_app(_related_models(tuple(seeds)))
    apps = Apps({}, ConnectionHandler())
    labels = list(found)
    try:
        for label in labels:
            # Relations are resolved with the last app, when all models are known.
            _ = apps.init_app(label, [module_of(label, found[label])], _init_relations=label == labels[-1])
    except ConfigurationError as error:
        raise DeclarationError([f"Tortoise rejects the models: {error}"]) from error
    return found


def module_of(label: str, models: Iterable[type[Model]]) -> ModuleType:
    """Return a module that holds *models*: Tortoise accepts models as members of modules only."""
    module = ModuleType(f"fastapi_easy tortoise {label}")
    module.__dict__["__models__"] = list(models)
    return module


def _related_models(seeds: tuple[type[Model], ...]) -> list[type[Model]]:
    found = _referenced_models(seeds, seeds)
    # Models of the same modules may refer to these. One whose own references are broken is left out: it may be
    # unfinished, and is no resource.
    around = [each for model in found for each in _models_in_same_module(model)]
    for neighbour in around:
        with contextlib.suppress(DeclarationError):
            found += [each for each in _referenced_models([neighbour], found) if each not in found]
    return found


def _referenced_models(seeds: Iterable[type[Model]], preferred: Iterable[type[Model]]) -> list[type[Model]]:
    """Return *seeds* and all they refer to; of several models of one name, one of *preferred*."""
    found: dict[type[Model], None] = {}
    waiting = list(seeds)
    while waiting:
        model = waiting.pop(0)
        if model not in found:
            found[model] = None
            waiting += _targets(model, [*preferred, *found])
    return list(found)


def _targets(model: type[Model], preferred: list[type[Model]]) -> Iterator[type[Model]]:
    meta = meta_of(model)
    for name in (*sorted(meta.fk_fields), *sorted(meta.o2o_fields), *sorted(meta.m2m_fields)):
        reference: Any = getattr(meta.fields_map[name], "model_name")  # noqa: B009 - only relations have it
        is_named = isinstance(reference, str)
        yield _resolve_model(reference, f"{model.__name__}.{name}", preferred) if is_named else reference


def _resolve_model(reference: str, place: str, preferred: list[type[Model]]) -> type[Model]:
    """Return the model that *reference*, as `app.Model`, means at *place*.

    Raises:
        DeclarationError: There is none, or it is not clear which one is meant.
    """
    label, _, name = reference.rpartition(".")
    if not label or "." in label:
        raise DeclarationError([f"{place} refers to {reference!r}; write it as 'app.Model'"])
    candidates = [each for each in _subclasses(Model) if each.__name__ == name and _may_be_in(each, label)]
    # Several models may have one name. Those that are declared together with the others come first, then those that
    # a module still holds: classes of tests live on after their function has returned.
    for choice in (
        [each for each in candidates if each in preferred],
        [each for each in candidates if _is_importable(each)],
        candidates,
    ):
        if len(choice) == 1:
            return choice[0]
    reason = "of which there are several" if candidates else "which is not declared"
    mend = "name the class itself" if candidates else "import the module that declares it"
    raise DeclarationError([f"{place} refers to {reference!r}, a model {reason}; {mend}"])


def _models_in_same_module(model: type[Model]) -> Iterator[type[Model]]:
    if not _is_importable(model):
        return
    for each in list(vars(sys.modules[model.__module__]).values()):
        is_model = isinstance(each, type) and issubclass(each, Model)
        if is_model and each.__module__ == model.__module__ and not meta_of(each).abstract:
            yield each


def _group_by_app(models: list[type[Model]]) -> dict[str, list[type[Model]]]:
    # References say in which app a model is, though it does not itself.
    named_apps = {}
    for model in models:
        meta = meta_of(model)
        for name in (*meta.fk_fields, *meta.o2o_fields, *meta.m2m_fields):
            reference = getattr(meta.fields_map[name], "model_name", None)
            if isinstance(reference, str):
                label, _, target = reference.rpartition(".")
                named_apps[target] = label
    grouped: dict[str, list[type[Model]]] = {}
    for model in models:
        label = meta_of(model).app or named_apps.get(model.__name__, DEFAULT_LABEL)
        grouped.setdefault(label, []).append(model)
    return grouped


def _may_be_in(model: type[Model], label: str) -> bool:
    meta = meta_of(model)
    return not meta.abstract and meta.app in {None, label}


def _is_importable(model: type[Model]) -> bool:
    return getattr(sys.modules.get(model.__module__), model.__name__, None) is model


def _subclasses(model: type[Model]) -> Iterator[type[Model]]:
    for each in model.__subclasses__():
        yield each
        yield from _subclasses(each)
