"""Expressions of one column each, which terms and conditions are made of."""
