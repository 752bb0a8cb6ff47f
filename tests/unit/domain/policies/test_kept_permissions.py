"""Permissions of declared rules are made once for each caller, and never another one's."""

from fastapi_easy.domain.policies.kept_permissions import KeptPermissions
from fastapi_easy.domain.principal import Principal


def test_the_same_caller_gets_the_same_permissions_and_an_equal_one_others() -> None:
    ada, other = Principal(id="ada", claims={"team": 1}), Principal(id="ada", claims={"team": 2})
    kept = KeptPermissions(lambda caller, tenant: (caller.claims["team"], tenant))

    assert kept.of(ada, None) is kept.of(ada, None)
    assert [kept.of(ada, "north"), kept.of(ada, None), kept.of(other, None)] == [
        (1, "north"),
        (1, None),
        (2, None),
    ]


def test_callers_who_came_first_are_forgotten() -> None:
    made: list[str] = []

    def make(caller: Principal, _: str | None) -> str:
        made.append(caller.id)
        return caller.id

    kept = KeptPermissions(make)
    callers = [Principal(id=str(number)) for number in range(2000)]
    for each in callers:
        _ = kept.of(each, None)
    _ = kept.of(callers[-1], None)
    _ = kept.of(callers[0], None)

    assert made[2000:] == ["0"]
