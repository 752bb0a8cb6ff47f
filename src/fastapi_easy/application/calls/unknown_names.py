"""Messages for names that do not exist, with a suggestion."""

from collections.abc import Iterable

from fastapi_easy.application.queries.allowed_comparisons import closest_match, offered


def unknown_name_message(prefix: str, name: str, known: Iterable[str]) -> str:
    """Return a sentence that begins with *prefix*, and tells which of the *known* names may have been meant."""
    words = sorted(word for word in known if not word.startswith("_"))
    near = closest_match(name, words)
    return f"{prefix} {name!r}: {f'did you mean {near!r}?' if near else offered(words)}"
