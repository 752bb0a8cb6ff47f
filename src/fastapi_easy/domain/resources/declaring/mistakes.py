"""The mistakes of one declaration, collected so that a user sees them all at once."""

from collections.abc import Iterable
from difflib import get_close_matches


class Mistakes(list[str]):
    """The mistakes in the declaration of one resource, each a sentence."""

    def __init__(self, resource: str) -> None:
        super().__init__()
        self._resource = resource

    def add(self, sentence: str) -> None:
        """Note *sentence*, with the name of the resource before it."""
        self.append(f"{self._resource}: {sentence}")

    def names(self, option: str, given: Iterable[str], allowed: Iterable[str], lack: str) -> tuple[str, ...]:
        """Return those of *given* that are *allowed*; add a mistake for each that is not."""
        known = tuple(allowed)
        kept = []
        for name in self.check_is_list(option, given):
            if name in known:
                kept.append(name)
                continue
            near = get_close_matches(str(name), known, n=1)
            self.add(
                f"{option} names {name!r}, {lack}"
                + (f": did you mean {near[0]!r}?" if near else ": remove it")
            )
        return tuple(dict.fromkeys(kept))

    def check_is_list(self, option: str, given: Iterable[str]) -> Iterable[str]:
        """Return *given*; add a mistake when it is one text, which would be read letter by letter."""
        if not isinstance(given, str):
            return given
        self.add(f"{option} is the text {given!r}, and not a list of names: write [{given!r}]")
        return ()
