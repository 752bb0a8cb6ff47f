"""Waiting for tasks and wake-ups inside one process."""
