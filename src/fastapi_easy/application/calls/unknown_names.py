"""What to say of a name that is not there."""

from collections.abc import Iterable

from fastapi_easy.application.queries.allowed_comparisons import nearest


def unknown(complaint: str, name: str, known: Iterable[str]) -> str:
    """Return a sentence that begins with *complaint*, and tells which of the *known* names may have been meant."""
    words = sorted(word for word in known if not word.startswith("_"))
    near = nearest(name, words)
    hint = (
        f"did you mean {near!r}?" if near else f"known are {', '.join(words)}" if words else "none is known"
    )
    return f"{complaint} {name!r}: {hint}"
