"""The OpenAPI document of so many resources: `document 10,68,300`; bytes, seconds of CPU and megabytes of each."""

import datetime
import json
import resource as limits
import subprocess
import sys
import time
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ForeignKey, Numeric, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.testing import in_memory

TEXTS: Final = 4
# mypy wants literals
_mapped: Any = Mapped
_many: Any = list


def tables(count: int) -> list[type]:
    """So many classes of ten columns, each referring to the one before."""

    class Base(DeclarativeBase):
        """The tables of this measurement."""

    return [type(f"Table{number}", (Base,), _members(number, count)) for number in range(count)]


def _members(number: int, count: int) -> dict[str, Any]:
    annotations: dict[str, Any] = {
        "id": Mapped[int],
        **{f"text{each}": Mapped[str] for each in range(TEXTS)},
        "price": Mapped[Decimal],
        "made": Mapped[datetime.datetime | None],
        "stock": Mapped[int],
        "active": Mapped[bool],
    }
    members: dict[str, Any] = {
        "__tablename__": f"table{number}",
        "__annotations__": annotations,
        "id": mapped_column(primary_key=True),
        **{f"text{each}": mapped_column(String(200)) for each in range(TEXTS)},
        "price": mapped_column(Numeric(10, 2)),
    }
    if number:
        annotations |= {"up_id": Mapped[int | None], "up": _mapped[f"Table{number - 1}"]}
        members["up_id"] = mapped_column(ForeignKey(f"table{number - 1}.id"))
        members["up"] = relationship(back_populates="downs")
    if number < count - 1:
        annotations["downs"] = _mapped[_many[f"Table{number + 1}"]]
        members["downs"] = relationship(back_populates="up")
    return members


def measured(count: int) -> dict[str, float]:
    """What the document of *count* resources costs in this process; megabytes are right for its first one only."""
    shop = type(
        "Shop", (Container,), {f"t{number}": resource(each) for number, each in enumerate(tables(count))}
    )
    begun = time.process_time()
    app = create_app(in_memory(shop))
    declared = time.process_time() - begun
    before = limits.getrusage(limits.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    document = app.openapi()
    made = time.process_time() - begun
    grown = limits.getrusage(limits.RUSAGE_SELF).ru_maxrss - before
    size = len(json.dumps(document, separators=(",", ":")))
    return {
        "resources": count,
        "bytes": size,
        "seconds": made,
        "megabytes": grown / 1024,
        "declaring": declared,
    }


if __name__ == "__main__":
    for given in sys.argv[1].split(","):
        if "," in sys.argv[1]:
            command = [sys.executable, "-m", "benchmarks.inside.document", given]
            print(subprocess.run(command, capture_output=True, text=True, check=True).stdout, end="")
        else:
            print(json.dumps(measured(int(given))))
