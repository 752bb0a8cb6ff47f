"""Whether two texts of SQL mean the same, as far as that can be told from the texts."""

import re
from collections.abc import Iterable
from typing import Final

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.sql_tokens import (
    Token,
    closing,
    tokenize,
    unquote,
)

_TEXT_CAST: Final = re.compile(
    r"::\s*(?:character varying|character|varchar|bpchar|text|\"char\")(?:\(\d+\))?(?:\[\])*", re.IGNORECASE
)
_ANY_CAST: Final = re.compile(
    r"::\s*(?:\"[^\"]+\"|\w+)(?:\.(?:\"[^\"]+\"|\w+))?(?:\s+(?:varying|precision))?(?:\(\d+(?:,\s*\d+)?\))?"
    r"(?:\s+with(?:out)?\s+time\s+zone)?(?:\[\])*",
    re.IGNORECASE,
)
_CHARACTER_SET: Final = re.compile(r"\b_(?:utf8mb[34]|utf8|latin1|ascii|binary)\s*(?=\\?')", re.IGNORECASE)
_NOW: Final = re.compile(r"(?:current_timestamp|now)(?:\(\))?", re.IGNORECASE)
_LITERAL: Final = re.compile(r"'((?:[^']|'')*)'|([-+]?\s*\d+(?:\.\d+)?)|(true|false)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[-+]?\d+(?:\.\d+)?")
_WORDS_OF_TRUTH: Final = {"true": "1", "false": "0", "t": "1", "f": "0"}


def is_same_expression(one: str | None, other: str | None, *, loosely: bool = False) -> bool:
    """Return whether *one* and *other* are the same expression.

    Args:
        one: SQL.

        other: SQL.

        loosely: They are not both in the spelling of the server, or of columns whose types differ: casts and
            parentheses are not compared.
    """
    if one is None or other is None:
        return one is other
    if expression_form(one) == expression_form(other):
        return True
    return loosely and _loose_form(one) == _loose_form(other)


def expression_form(text: str) -> str:
    """Return a text that is the same for spellings that differ in nothing: case of words, quotes, outer parentheses."""
    tokens = tokenize(_TEXT_CAST.sub("", _CHARACTER_SET.sub("", text)))
    return " ".join(_words(_without_needless_parentheses(tokens)))


def _loose_form(text: str) -> str:
    plain = _ANY_CAST.sub("", _CHARACTER_SET.sub("", text)).replace("!=", "<>")
    words = [each for each in _words(tokenize(plain)) if each not in "()[]"]
    joined = " ".join(words).replace("[ ", "").replace(" ]", "")
    return re.sub(r"\bin\b", "= any array", joined).replace("[", "").replace("]", "")


def _words(tokens: Iterable[Token]) -> list[str]:
    found = []
    for token in tokens:
        if token.kind == "quoted":
            name = unquote(token.text)
            is_plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name, re.IGNORECASE)
            found.append(name.lower() if is_plain else token.text)
        else:
            found.append(token.text if token.kind == "string" else token.text.lower())
    return found


def _without_needless_parentheses(tokens: list[Token]) -> list[Token]:
    """Leave out parentheses around everything, around single words, and around what is in some already."""
    while tokens and tokens[0].text == "(" and closing(tokens, 0) == len(tokens) - 1:
        tokens = tokens[1:-1]
    kept: list[Token] = []
    at = 0
    while at < len(tokens):
        is_call = bool(kept) and kept[-1].kind in {"word", "quoted"} and kept[-1].word not in _BEFORE_GROUPS
        if _is_doubled(tokens, at):
            inner = closing(tokens, at + 1)
            tokens = [*tokens[: at + 1], *tokens[at + 2 : inner], *tokens[inner + 1 :]]
            continue
        if tokens[at].text == "(" and not is_call and tokens[at + 2 : at + 3] and tokens[at + 2].text == ")":
            kept.append(tokens[at + 1])
            at += 3
        else:
            kept.append(tokens[at])
            at += 1
    return kept


def _is_doubled(tokens: list[Token], at: int) -> bool:
    if [each.text for each in tokens[at : at + 2]] != ["(", "("]:
        return False
    return closing(tokens, at + 1) + 1 == closing(tokens, at)


_BEFORE_GROUPS: Final = frozenset(
    {"AND", "OR", "NOT", "WHEN", "THEN", "ELSE", "CASE", "BETWEEN", "IS", "LIKE"}
)


def is_same_default(one: str | None, other: str | None, *, is_text: bool, loosely: bool = False) -> bool:
    """Return whether *one* and *other* give the same value in the same column.

    Args:
        one: SQL.

        other: SQL.

        is_text: The column holds text, where `1.0` is not `1`.

        loosely: As for `is_same_expression`.
    """
    if one is None or other is None:
        return one is other
    if _default_form(one, is_text=is_text) == _default_form(other, is_text=is_text):
        return True
    return loosely and _loose_form(one) == _loose_form(other)


def is_literal(default: str) -> bool:
    """Return whether *default* is a value, and no expression."""
    return _LITERAL.fullmatch(_bare(default)) is not None


def _bare(text: str) -> str:
    """Return *text* without parentheses around it and without casts."""
    plain = _without_parentheses(text)
    return _without_parentheses(_CHARACTER_SET.sub("", _ANY_CAST.sub("", plain)))


def _default_form(text: str, *, is_text: bool) -> str:
    bare = _bare(text)
    literal = _LITERAL.fullmatch(bare)
    if literal is not None:
        return _literal_form(literal, is_text=is_text)
    if _NOW.fullmatch(bare):
        return "now"
    form = expression_form(_without_parentheses(text))
    return re.sub(r"\b(?:current_timestamp|now)(?: \( \))?(?! \()", "now", form)


def _literal_form(found: re.Match[str], *, is_text: bool) -> str:
    text, number, word = found.groups()
    if text is not None:
        value = text.replace("''", "'")
        return value if is_text or not _NUMBER.fullmatch(value) else _number_form(value)
    if word is not None:
        return _WORDS_OF_TRUTH[word.lower()]
    return number if is_text else _number_form(number.replace(" ", ""))


def _number_form(value: str) -> str:
    whole, point, fraction = value.lstrip("+").partition(".")
    fraction = fraction.rstrip("0")
    return whole + (point + fraction if fraction else "")


def _without_parentheses(text: str) -> str:
    plain = text.strip()
    while plain.startswith("(") and plain.endswith(")") and _closes_at_end(plain):
        plain = plain[1:-1].strip()
    return plain


def _closes_at_end(text: str) -> bool:
    tokens = tokenize(text)
    return closing(tokens, 0) == len(tokens) - 1
