"""Numbers that a database would not get right by itself."""

import decimal
import secrets
import uuid

import pytest
from sqlalchemy import BigInteger, DateTime, Float, Numeric, String, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Group, Measure
from fastapi_easy.domain.queries.specification import Operator, Where
from tests.unit.infrastructure.sqlalchemy.relational import relational

D = decimal.Decimal
BIG = 2**63 - 1
IDS = [uuid.UUID(int=1), uuid.UUID(int=2**127), uuid.UUID("ffffffff-0000-0000-0000-000000000000")]


class Cents(TypeDecorator[decimal.Decimal]):
    """Money of the user's own, kept as whole cents."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else int(value * 100)

    def process_result_value(self, value, dialect):
        return None if value is None else D(int(value)).scaleb(-2)


def amounts():
    class Base(DeclarativeBase): ...

    class Amount(Base):
        __tablename__ = f"amounts_{secrets.token_hex(4)}"
        id: Mapped[int] = mapped_column(primary_key=True)
        label: Mapped[str | None] = mapped_column(String(20))
        whole: Mapped[int | None] = mapped_column(BigInteger)
        price: Mapped[D | None] = mapped_column(Numeric(10, 4))
        wide: Mapped[D | None] = mapped_column(Numeric(30, 4))
        free: Mapped[D | None] = mapped_column(Numeric)
        size: Mapped[float | None] = mapped_column(Float)
        token: Mapped[uuid.UUID | None] = mapped_column(Uuid)

    return {"amounts": Amount}


async def totals(url, rows, *measures, **more):
    async with relational(url, amounts()) as world:
        _ = (await world["amounts"].add_all(rows)).unwrap()
        asked = Aggregation(measures=tuple(Measure(*each) for each in measures), **more)
        return (await world["amounts"].aggregate(asked)).unwrap()


@pytest.mark.parametrize(
    ("field", "values", "expected"),
    [
        pytest.param("whole", [BIG, BIG, BIG], 3 * BIG, id="beyond 64 bits"),
        pytest.param("whole", [-BIG - 1, -BIG - 1, 5], -2 * BIG + 3, id="beyond 64 bits, below"),
        pytest.param("whole", [BIG, -BIG, -1], -1, id="beyond 64 bits, and back"),
        pytest.param("whole", [-1, None, 2**32], 2**32 - 1, id="small, and null"),
        pytest.param("price", [D("0.1"), D("0.2"), D("0.0007")], D("0.3007"), id="fractions"),
        pytest.param("price", [D("-999999.9999")] * 3, D("-2999999.9997"), id="below nothing"),
        pytest.param("wide", [D("9e14"), D("1e20"), D("0.0001")], D("100000900000000000000.0001"), id="wide"),
        pytest.param("wide", [D("99999999999.9999")] * 300, D("29999999999999.97"), id="many digits"),
        pytest.param(
            "free", [D("0.1"), D("0.00000007"), D(12345678)], D("12345678.10000007"), id="any digits"
        ),
        pytest.param("free", [None, None], None, id="nulls only"),
        pytest.param("price", [None, None], None, id="nulls only, of declared digits"),
        pytest.param("whole", [None], None, id="nulls only, whole"),
        pytest.param("size", [0.5, 0.25, None], 0.75, id="floats"),
    ],
)
async def test_sums_are_exact(url, field, values, expected):
    rows = [{field: value} for value in values]

    (group,) = await totals(url, rows, (Function.SUM, field), (Function.COUNT, field))

    assert group.totals == (expected, len([each for each in values if each is not None]))
    assert type(group.totals[0]) is type(expected)


async def test_averages_round_half_to_even(url):
    rows = [{"whole": n, "price": D(n) / 10_000, "size": float(n)} for n in (1, 2, 2)]

    (group,) = await totals(
        url, rows, *((Function.AVERAGE, name) for name in ("whole", "price", "size", "free"))
    )
    (tie,) = await totals(
        url,
        [{"whole": int(n == 0)} for n in range(2**7)],
        (Function.AVERAGE, "whole"),
    )

    assert [str(each) for each in group.totals[:2]] == ["1.666667", "0.0001666667"]
    assert group.totals[2:] == (5 / 3, None)
    assert str(tie.totals[0]) == "0.007812"


async def test_the_smallest_and_largest_are_of_their_type(url):
    rows = [
        {"token": each, "label": label, "price": D(n)}
        for n, (each, label) in enumerate(zip(IDS, "aZé", strict=True))
    ]
    functions = (Function.MINIMUM, Function.MAXIMUM)

    (group,) = await totals(
        url, rows, *((each, name) for name in ("token", "label", "price") for each in functions)
    )

    assert group.totals == (IDS[0], IDS[2], "Z", "é", D(0), D(2))


async def test_groups_of_text_are_byte_exact_and_null_comes_last(url):
    rows = [{"label": each} for each in ("a", "A", None, "é", "a ", "a", None)]

    groups = await totals(url, rows, (Function.COUNT,), group_by=("label",))
    window = await totals(url, rows, (Function.COUNT,), group_by=("label",), limit=2, offset=3)

    assert groups == [
        Group(("A",), (1,)),
        Group(("a",), (2,)),
        Group(("a ",), (1,)),
        Group(("é",), (1,)),
        Group((None,), (2,)),
    ]
    assert window == groups[3:]


async def test_sums_a_custom_type_as_it_is_stored(url):
    class Base(DeclarativeBase): ...

    class Account(Base):
        __tablename__ = f"accounts_{secrets.token_hex(4)}"
        id: Mapped[int] = mapped_column(primary_key=True)
        balance: Mapped[D] = mapped_column(Cents)
        seen_at: Mapped[object] = mapped_column(DateTime(timezone=True), nullable=True)

    async with relational(url, {"accounts": Account}) as world:
        _ = (await world["accounts"].add_all([{"balance": D("1.50")}, {"balance": D("2.25")}])).unwrap()
        asked = Aggregation(measures=(Measure(Function.SUM, "balance"), Measure(Function.MAXIMUM, "balance")))

        assert (await world["accounts"].aggregate(asked)).unwrap() == [Group((), (D("3.75"), D("2.25")))]


async def test_the_same_measure_may_be_asked_for_twice(url):
    measures = ((Function.SUM, "price"), (Function.AVERAGE, "price"), (Function.COUNT,), (Function.COUNT,))

    (group,) = await totals(url, [{"price": D(1)}, {"price": D(2)}], *measures, (Function.SUM, "price"))

    assert group == Group((), (D(3), D("1.5"), 2, 2, D(3)))


async def test_aggregates_are_about_the_rows_of_the_specification(url):
    rows = [{"whole": n, "label": "a" if n % 2 else "b"} for n in range(5)]

    (group,) = await totals(
        url, rows, (Function.SUM, "whole"), specification=Where("label", Operator.EQUALS, "a")
    )

    assert group == Group((), (4,))
