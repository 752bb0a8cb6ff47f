"""What clients asked for, what they were answered, and what they may conclude from it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

IN_FLIGHT: Final = "idempotency_in_flight"
OUTCOME_UNKNOWN: Final = "outcome_unknown"
DEFECT: Final = 500


class Kind(StrEnum):
    """What a request asks for."""

    CREATE = "create"
    BULK = "bulk"
    PATCH = "patch"
    DELETE = "delete"
    INCREMENT = "increment"
    GET = "get"
    LIST = "list"


class Ending(StrEnum):
    """What a client may conclude about its change."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"

    @property
    def allowed(self) -> frozenset[int]:
        """How often the change may have been made."""
        match self:
            case Ending.ACKNOWLEDGED:
                return frozenset({1})
            case Ending.REFUSED:
                return frozenset({0})
            case Ending.UNKNOWN:
                return frozenset({0, 1})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one attempt.

    Attributes:
        at: Seconds since the run began, when it came.

        seconds: How long it took.

        worker: Which process was asked.

        status: The status; `None` when there was no answer.

        code: That of the problem; empty on success.

        was_sent: Whether the request can have reached the process.

        retry_after: Whether the answer says when to ask again.

        detail: What the problem, or the client's error, says.
    """

    at: float = 0.0
    seconds: float = 0.0
    worker: str = ""
    status: int | None
    code: str = ""
    was_sent: bool = True
    retry_after: bool = False
    detail: str = ""

    @property
    def is_success(self) -> bool:
        """It was done."""
        return self.status is not None and self.status < 300

    @property
    def says_nothing_of_the_change(self) -> bool:
        """Whether the change may have been made nevertheless."""
        if self.status is None:
            return self.was_sent
        return self.code == OUTCOME_UNKNOWN or self.status == DEFECT

    @property
    def asks_for_a_retry(self) -> bool:
        """Whether the same request with the same idempotency key is to be sent again."""
        return self.status in {None, 503, 504, DEFECT} or self.code == IN_FLIGHT

    def __str__(self) -> str:
        what = "no answer" if self.status is None else f"{self.status} {self.code}".strip()
        said = f" ({self.detail})" if self.detail else ""
        return f"{what} from {self.worker} at {self.at:.2f} s after {self.seconds:.2f} s{said}"


@dataclass(slots=True, kw_only=True)
class Request:
    """One thing that a client asked for, and all answers to it.

    Attributes:
        id: Written into what it changes, so that its changes can be found.

        store: Which database it is about.

        kind: What it asks for.

        has_key: Whether it has an idempotency key, and is repeated.

        entity: The key of the article or the counter that it is about.

        items: How many entities it creates.

        answers: What came of its attempts, the first one first.
    """

    id: str
    store: str
    kind: Kind
    has_key: bool = False
    entity: int | None = None
    items: int = 1
    answers: list[Answer] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """What the articles that it creates are called."""
        return (
            [f"{self.id}.{number}" for number in range(self.items)] if self.kind is Kind.BULK else [self.id]
        )

    @property
    def ending(self) -> Ending:
        """What its client may conclude."""
        if not self.answers:
            return Ending.UNKNOWN
        last = self.answers[-1]
        if last.is_success:
            return Ending.ACKNOWLEDGED
        if last.says_nothing_of_the_change:
            return Ending.UNKNOWN
        # A definite answer to a request with a key is one to all attempts; a "not now" is one to the last attempt only.
        earlier = self.answers[:-1] if last.asks_for_a_retry else []
        return Ending.UNKNOWN if any(each.says_nothing_of_the_change for each in earlier) else Ending.REFUSED

    def __str__(self) -> str:
        about = "" if self.entity is None else f" of {self.entity}"
        key = " with a key" if self.has_key else ""
        said = "; ".join(map(str, self.answers)) or "nothing"
        return f"{self.kind}{about} {self.id} on {self.store}{key}: {said}"
