"""Sessions in signed cookies, and the counters of attempts to log in."""
