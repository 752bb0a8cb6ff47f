"""Several observers in the place of one."""

from collections.abc import Sequence

from fastapi_easy.domain.ports.observer import Observation, Observer


class Several:
    """Implements `Observer`: tells each of *observers*, in their order."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)

    def observe(self, observation: Observation) -> None:
        """Pass *observation* on."""
        for observer in self._observers:
            observer.observe(observation)
