"""Waiting for tasks inside one process."""
