"""The parts of use cases that change something."""
