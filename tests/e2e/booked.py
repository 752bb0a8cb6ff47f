"""Classes whose rules look at more than one field: a booking must not end before it begins, and is given a title."""

import dataclasses
from typing import Any, Self

from pydantic import (
    BaseModel,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column, validates
from sqlmodel import Field, SQLModel

SENTENCE = "ends before it begins"


class After(BaseModel):
    id: int | None = None
    start: int
    end: int
    title: str = "none"
    note: str | None = None

    @model_validator(mode="after")
    def in_order(self) -> Self:
        if self.end < self.start:
            raise ValueError(SENTENCE)
        self.title = self.title.strip()
        return self


class Before(BaseModel):
    id: int | None = None
    start: int
    end: int
    title: str = "none"
    note: str | None = None

    @model_validator(mode="before")
    @classmethod
    def in_order(cls, data: Any) -> Any:
        assert data["end"] >= data["start"], SENTENCE
        return {**data, "title": data.get("title", "none").strip()}


class Wrap(BaseModel):
    id: int | None = None
    start: int
    end: int
    title: str = "none"
    note: str | None = None

    @model_validator(mode="wrap")
    @classmethod
    def in_order(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        made = handler(data)
        if made.end < made.start:
            raise ValueError(SENTENCE)
        made.title = made.title.strip()
        return made


class PostInit(BaseModel):
    id: int | None = None
    start: int
    end: int
    title: str = "none"
    note: str | None = None
    _length: int = PrivateAttr(default=0)

    def model_post_init(self, context: Any, /) -> None:
        self._length = self.end - self.start
        if self._length < 0:
            raise ValueError(SENTENCE)
        self.title = self.title.strip()


class OneField(BaseModel):
    """The field validator is told of the fields in front of it."""

    id: int | None = None
    start: int
    end: int
    title: str = "none"
    note: str | None = None

    @field_validator("end")
    @classmethod
    def in_order(cls, end: int, info: ValidationInfo) -> int:
        if end < info.data["start"]:
            raise ValueError(SENTENCE)
        return end

    @field_validator("title")
    @classmethod
    def stripped(cls, title: str) -> str:
        return title.strip()


@dataclasses.dataclass
class Span:
    start: int
    end: int
    title: str = "none"
    note: str | None = None
    id: int | None = None

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(SENTENCE)
        self.title = self.title.strip()


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    start: int
    end: int
    title: str = "none"
    note: str | None = None
    id: int | None = None

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(SENTENCE)
        object.__setattr__(self, "title", self.title.strip())


@pydantic_dataclass
class Validated:
    start: int
    end: int
    title: str = "none"
    note: str | None = None
    id: int | None = None

    @model_validator(mode="after")
    def in_order(self) -> Self:
        if self.end < self.start:
            raise ValueError(SENTENCE)
        self.title = self.title.strip()
        return self


class Table(SQLModel, table=True):
    __tablename__ = "booked_table"
    id: int | None = Field(default=None, primary_key=True)
    start: int
    end: int
    title: str = "none"
    note: str | None = None

    @model_validator(mode="after")
    def in_order(self) -> Self:
        if self.end < self.start:
            raise ValueError(SENTENCE)
        self.title = self.title.strip()
        return self


class TableField(SQLModel, table=True):
    __tablename__ = "booked_table_field"
    id: int | None = Field(default=None, primary_key=True)
    start: int
    end: int
    title: str = "none"
    note: str | None = None

    @field_validator("end")
    @classmethod
    def in_order(cls, end: int, info: ValidationInfo) -> int:
        if end < info.data["start"]:
            raise ValueError(SENTENCE)
        return end

    @field_validator("title")
    @classmethod
    def stripped(cls, title: str) -> str:
        return title.strip()


class Base(DeclarativeBase):
    pass


class Both(Base):
    __tablename__ = "booked_both"
    id: Mapped[int] = mapped_column(primary_key=True)
    start: Mapped[int]
    end: Mapped[int]
    title: Mapped[str] = mapped_column(default="none")
    note: Mapped[str | None]

    @validates("start", "end", include_backrefs=False)
    def in_order(self, key: str, value: int) -> int:
        start, end = (value, self.end) if key == "start" else (self.start, value)
        if start is not None and end is not None and end < start:
            raise ValueError(SENTENCE)
        return value

    @validates("title", include_removes=True)
    def stripped(self, key: str, title: str, is_remove: bool) -> str:
        assert not is_remove
        return title.strip()


class OnlyEnd(Base):
    """The rule is registered for one of the fields it looks at."""

    __tablename__ = "booked_only_end"
    id: Mapped[int] = mapped_column(primary_key=True)
    start: Mapped[int]
    end: Mapped[int]
    title: Mapped[str] = mapped_column(default="none")
    note: Mapped[str | None]

    @validates("end")
    def in_order(self, key: str, end: int) -> int:
        self._compare(end)
        return end

    @validates("title")
    def stripped(self, key: str, title: str) -> str:
        return title.strip()

    def _compare(self, end: int) -> None:
        if end < self.start:
            raise ValueError(SENTENCE)


class Mixed(MappedAsDataclass, Base):
    __tablename__ = "booked_mixed"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    start: Mapped[int]
    end: Mapped[int]
    title: Mapped[str] = mapped_column(default="none")
    note: Mapped[str | None] = mapped_column(default=None)

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(SENTENCE)
        self.title = self.title.strip()


PLAIN = (After, Before, Wrap, PostInit, OneField, Span, Frozen, Validated)
TABLES = (Table, TableField, Both, OnlyEnd, Mixed)
