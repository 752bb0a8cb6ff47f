"""The words in the query of a database URL, and the sentences that refuse them."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from sqlalchemy import URL

from fastapi_easy.domain.errors import DeclarationError


def words_of(url: URL) -> dict[str, str]:
    """Return the words in the query of *url*; the last of several values counts, and hosts stay apart.

    The keys have underscores where MySQL's own programs have dashes.
    """
    return {
        name.replace("-", "_"): value if isinstance(value, str) else value[-1]
        for name, value in url.query.items()
        if not (name == "host" and not isinstance(value, str))
    }


def refuse_unknown(
    words: Iterable[str], known: Collection[str], driver: str, hints: Mapping[str, str]
) -> None:
    """Raise `DeclarationError` for each of *words* that *driver* cannot do.

    Args:
        words: Those of the URL.

        known: Those that can be translated.

        driver: Its name.

        hints: What to do instead, by word.
    """
    mistakes = []
    for word in words:
        if word in known:
            continue
        near = difflib.get_close_matches(word, known, n=1, cutoff=0.8)
        instead = hints.get(word) or (f"did you mean {near[0]}?" if near else "leave it out of the URL")
        mistakes.append(f"{driver} cannot do {word!r} of the database URL: {instead}")
    if mistakes:
        raise DeclarationError(mistakes)


def refuse_values(words: Mapping[str, str], allowed: Mapping[str, Collection[str]]) -> None:
    """Raise `DeclarationError` for each of *words* whose value is none of those *allowed* for it."""
    if mistakes := [
        f"{name!r} of the database URL must be one of {', '.join(values)}"
        for name, values in allowed.items()
        if name in words and words[name] not in values
    ]:
        raise DeclarationError(mistakes)


def refuse_absent_files(words: Mapping[str, str], names: Iterable[str]) -> None:
    """Raise `DeclarationError` for each file that *words* name under one of *names* and that cannot be read."""
    mistakes = []
    for name in names:
        path = words.get(name)
        if path is None or path == "system":
            continue
        try:
            with Path(path).expanduser().open("rb"):
                pass
        except OSError as error:
            mistakes.append(f"{name!r} of the database URL, {path}, cannot be read: {error.strerror}")
    if mistakes:
        raise DeclarationError(mistakes)
