"""What the user's own actions are called: `CheckIn` is `check_in`, `CancelOrder` of orders is `cancel`."""

import re
from collections.abc import Iterable
from typing import Final

_WORD: Final = re.compile(r"[A-Z][a-z0-9]*|[a-z0-9]+")


def action_name(action: type[object], entity: type[object]) -> str:
    """Return the name of *action*: its `action_name`, or the words of its class's name, joined with underscores.

    Words of the name of *entity* are left out, in the plural too, unless the name begins with them.
    """
    given = getattr(action, "action_name", None)
    if isinstance(given, str):
        return given
    words = _words(action)
    own = {_singular(each) for each in _words(entity)}
    return "_".join(words[:1] + [each for each in words[1:] if _singular(each) not in own])


def name_actions(
    actions: Iterable[type[object]], entity: type[object]
) -> tuple[dict[str, type[object]], list[str]]:
    """Return *actions* of *entity* by name, and a sentence for each two that have one name."""
    named: dict[str, type[object]] = {}
    mistakes = []
    for action in actions:
        name = action_name(action, entity)
        first = named.setdefault(name, action)
        if first is not action:
            mistakes.append(
                f"the actions {first.__name__} and {action.__name__} of {entity.__name__} are both called {name!r}: "
                f"give one of them another name, action_name = '…'"
            )
    return named, mistakes


def _words(named: type[object]) -> list[str]:
    return [each.lower() for each in _WORD.findall(named.__name__)] or [named.__name__.lower()]


def _singular(word: str) -> str:
    return word.removesuffix("s")
