"""Conditions about values of which some are not known."""

import pytest

from fastapi_easy.domain.queries.known_values import tell
from fastapi_easy.domain.queries.specification import AllOf, AnyOf, Everything, Not, Operator, Related, Where

YES, NO = Where("known", Operator.EQUALS, 1), Where("known", Operator.EQUALS, 2)
UNKNOWN = Where("other", Operator.EQUALS, 1)
ODD = Where("known", Operator.LESS, "a")


@pytest.mark.parametrize(
    ("specification", "told"),
    [
        pytest.param(Everything(), True, id="everything"),
        pytest.param(YES, True, id="holds"),
        pytest.param(NO, False, id="does not hold"),
        pytest.param(UNKNOWN, None, id="not known"),
        pytest.param(ODD, None, id="not comparable"),
        pytest.param(Related(None, Everything()), None, id="a relation"),
        pytest.param(Not(UNKNOWN), None, id="not what is not known"),
        pytest.param(Not(NO), True, id="not what does not hold"),
        pytest.param(AllOf((YES, UNKNOWN)), None, id="all of them, perhaps"),
        pytest.param(AllOf((UNKNOWN, NO)), False, id="not all of them"),
        pytest.param(AllOf(()), True, id="all of none"),
        pytest.param(AnyOf((NO, UNKNOWN)), None, id="any of them, perhaps"),
        pytest.param(AnyOf((UNKNOWN, YES)), True, id="one of them"),
        pytest.param(AnyOf(()), False, id="any of none"),
    ],
)
def test_what_is_not_known_decides_nothing(specification, told):
    assert tell(specification, {"known": 1}) is told
