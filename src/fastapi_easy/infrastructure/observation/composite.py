"""Several observers in place of one."""

from collections.abc import Sequence

from fastapi_easy.domain.ports.observer import Observation, Observer


class CompositeObserver:
    """Implements `Observer`: passes each observation on to *observers*, in their order."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)

    def observe(self, observation: Observation) -> None:
        """Pass *observation* on."""
        for observer in self._observers:
            observer.observe(observation)
