"""Statements sent to the driver, and the connections they are sent on."""
