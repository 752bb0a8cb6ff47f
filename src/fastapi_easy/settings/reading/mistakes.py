"""What is wrong with settings, as sentences: which variable or entry, what it takes, and what was meant instead."""

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, ValidationError

from fastapi_easy.settings.reading.sources import (
    DELIMITER,
    PREFIX,
    SETTINGS_FILE,
    is_list,
    leaves_of,
    members_of,
    section_of,
)

_Path: TypeAlias = tuple[str, ...]

_FORMS: Final[Mapping[str, str]] = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "string_type": "text",
    "path_type": "a path",
    "tuple_type": "a list, in a variable with commas: first,second",
    "list_type": "a list, in a variable with commas: first,second",
    "date_parsing": "a date like 2027-01-31",
    "date_from_datetime_parsing": "a date like 2027-01-31",
    "time_delta_parsing": "a number of seconds",
}
"""What a setting takes, by the name that pydantic has for the mistake."""


def describe_mistakes(error: ValidationError, kind: type[BaseModel], file: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each mistake in *error*, never with the value that was given.

    Args:
        error: What pydantic found.

        kind: The class of the settings.

        file: The content of `fastapi-easy.toml`.
    """
    # Of a value with several alternatives each is reported; one sentence is enough.
    found: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        path = tuple(str(each) for each in fault["loc"])
        where, exact = _place_of(path, file)
        _ = found.setdefault(where, f"{where} {_sentence(fault, path, kind, as_variable=exact)}")
    return list(found.values())


def find_unknown_variables(kind: type[BaseModel], environment: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each variable with our prefix that is no setting of *kind*."""
    for name in sorted(environment):
        if not name.upper().startswith(PREFIX):
            continue
        path = name[len(PREFIX) :].lower()
        if path.split(DELIMITER)[0] in kind.model_fields:
            continue
        spellings = {DELIMITER.join(each): each for each in leaves_of(kind)}
        # One underscore for two is the same name to whoever wrote it.
        near = difflib.get_close_matches(path, spellings, n=1, cutoff=0.75)
        yield f"{name} is not a setting: " + (
            f"did you mean {PREFIX}{near[0].upper()}?"
            if near
            else f"the part after {PREFIX} must begin with one of {', '.join(sorted(kind.model_fields))}"
        )


def _place_of(path: _Path, file: Mapping[str, Any]) -> tuple[str, bool]:
    """Return what the user has written *path* as, and whether that is an environment variable."""
    names = {name.upper(): name for name in sorted(os.environ)}
    for length in range(len(path), 0, -1):
        variable = names.get(f"{PREFIX}{DELIMITER.join(path[:length])}".upper())
        if variable is not None:
            rest = ".".join(path[length:])
            return f"{variable}, {rest}," if rest else variable, True
    beginning = f"{PREFIX}{DELIMITER.join(path)}{DELIMITER}".upper()
    if any(name.startswith(beginning) for name in names):
        return f"{beginning}…", True
    dotted = ".".join(path)
    if _is_in(file, path) or _is_in(file, path[:-1]):
        return f"{SETTINGS_FILE}: {dotted}", False
    return f"{dotted}, which is set in code,", False


def _is_in(tree: Any, path: _Path) -> bool:
    for name in path:
        if isinstance(tree, Sequence) and name.isdigit() and int(name) < len(tree):
            tree = tree[int(name)]
        elif isinstance(tree, Mapping) and name in tree:
            tree = tree[name]
        else:
            return False
    return bool(path)


def _sentence(fault: Any, path: _Path, kind: type[BaseModel], *, as_variable: bool) -> str:
    match fault["type"]:
        case "extra_forbidden":
            return _not_a_setting(path, kind, as_variable=as_variable)
        case "model_type" | "model_attributes_type" | "dict_type" | "mapping_type":
            return _not_a_value(path, kind, as_variable=as_variable)
        case "tuple_type" | "list_type" if _section_at(kind, (*path, "0"), in_list=True) is not None:
            return f"must be a list of sections: write each below [[{'.'.join(path)}]] in {SETTINGS_FILE}"
        case known if known in _FORMS:
            return f"has to be {_FORMS[known]}"
        case other:
            return _with_context(fault, other, fault.get("ctx", {}))


def _with_context(fault: Any, kind_of_mistake: str, context: Mapping[str, Any]) -> str:
    """Return what is wrong, with what pydantic adds to its kind."""
    match kind_of_mistake:
        case "missing":
            return "is missing: it has no default"
        case "literal_error" | "enum":
            allowed = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "").split(", ")
            return f"has to be one of {', '.join(allowed)}{_suggestion(fault['input'], allowed)}"
        case "value_error" | "assertion_error":
            return f"is refused: {context.get('error', fault['msg'])}"
        case "string_pattern_mismatch":
            return f"does not have the form {context.get('pattern')}"
        case _:
            return str(fault["msg"]).replace("Input should", "has to").replace("String should", "has to")


def _not_a_setting(path: _Path, kind: type[BaseModel], *, as_variable: bool) -> str:
    parent = _section_at(kind, path[:-1])
    if parent is None:
        return "is not a setting: leave it out"
    near = difflib.get_close_matches(path[-1].lower(), parent.model_fields, n=1)
    if near:
        return f"is not a setting: did you mean {_spelled((*path[:-1], near[0]), as_variable=as_variable)}?"
    return f"is not a setting: there are {', '.join(parent.model_fields)}"


def _not_a_value(path: _Path, kind: type[BaseModel], *, as_variable: bool) -> str:
    section = _section_at(kind, path)
    if section is not None:
        first = (*path, next(iter(section.model_fields)))
    else:
        member = _section_at(kind, (*path, "default"))
        first = (*path, "default", *([next(iter(member.model_fields))] if member else []))
    return f"is a section: set its entries one by one, like {_spelled(first, as_variable=as_variable)}"


def _section_at(kind: type[BaseModel], path: _Path, *, in_list: bool = False) -> type[BaseModel] | None:
    """Return the section at *path*; `None` when there is none, or, unless *in_list*, only a list of them."""
    found: Any = kind
    for name in path:
        section = section_of(found)
        if section is not None:
            field = section.model_fields.get(name)
            found = None if field is None else field.annotation
        else:
            found = members_of(found)
    return None if is_list(found) and not in_list else section_of(found)


def _spelled(path: _Path, *, as_variable: bool) -> str:
    return f"{PREFIX}{DELIMITER.join(path).upper()}" if as_variable else ".".join(path)


def _suggestion(given: object, allowed: Sequence[str]) -> str:
    """Return which of *allowed* was meant, without repeating what was given."""
    by_lower = {each.lower(): each for each in allowed}
    near = difflib.get_close_matches(str(given).lower(), by_lower, n=1, cutoff=0.75)
    return f": did you mean {by_lower[near[0]]}?" if near else ""
