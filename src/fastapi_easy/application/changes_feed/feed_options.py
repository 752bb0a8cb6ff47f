"""The limits of change feeds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOptions:
    """The limits of the change feeds of one database.

    Attributes:
        interval: Seconds between two polls while somebody listens; changes of this process are seen at once.

        buffer: Changes that wait for one listener at most; one that is slower is cut off, and can resume.

        recent: Changes that are kept in memory, so that listeners who resume cost no statement.

        recheck: Seconds after which it is asked again whether a listener may still listen.

        lifetime: Seconds after which a listener has to come back, with credentials that are verified anew.

        page: Changes that one statement reads at most.
    """

    interval: float = 0.5
    buffer: int = 1000
    recent: int = 1000
    recheck: float = 30.0
    lifetime: float = 900.0
    page: int = 500
