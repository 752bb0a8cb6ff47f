"""Counters of calls, in the storages of the library `limits`."""
