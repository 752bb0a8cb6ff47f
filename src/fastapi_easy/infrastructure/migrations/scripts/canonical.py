"""The checksum of a script: the same for what executes the same."""

import ast
import hashlib
from typing import Any

from fastapi_easy.infrastructure.migrations.scripts.refusal import ScriptRefusal


def checksum_of(text: str, name: str) -> str:
    """Return the SHA-256 of what the Python *text* does.

    Comments, docstrings, quotes and line breaks make no difference, so that a script may be formatted. The versions of
    Python give the same.

    Args:
        text: The whole script.

        name: That of the file, for people.

    Raises:
        ScriptRefusal: It is no Python.
    """
    try:
        module = ast.parse(text)
    except SyntaxError as error:
        raise ScriptRefusal(f"{name} cannot be read as Python: line {error.lineno}: {error.msg}") from error
    return hashlib.sha256(repr(_canonical(module)).encode()).hexdigest()


def _canonical(node: Any) -> Any:
    """Return *node* as nested lists, without what is empty: `ast.dump` differs from version to version."""
    if isinstance(node, list):
        return [_canonical(each) for each in node]
    if not isinstance(node, ast.AST):
        return (type(node).__name__, repr(node))
    fields = [
        (name, _canonical(_without_docstring(node, name, value)))
        for name, value in ast.iter_fields(node)
        if name not in {"kind", "type_comment", "type_ignores"} and value is not None and value != []
    ]
    return [type(node).__name__, *fields]


def _without_docstring(node: ast.AST, name: str, value: Any) -> Any:
    if name != "body" or not isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
        return value
    return value[1:] if ast.get_docstring(node, clean=False) is not None else value
