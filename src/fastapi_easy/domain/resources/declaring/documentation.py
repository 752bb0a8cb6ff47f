"""What the docstring of a class says of its entities."""

from typing import Any


def first_paragraph(entity: type[Any]) -> str:
    """Return the first paragraph of the docstring of *entity*, on one line; empty without one."""
    document = entity.__dict__.get("__doc__") or ""
    paragraph = document.strip().split("\n\n")[0]
    # A dataclass without a docstring gets its own signature as one.
    return "" if paragraph.startswith(f"{entity.__name__}(") else " ".join(paragraph.split())
