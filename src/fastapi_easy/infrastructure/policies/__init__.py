"""Policies of libraries behind the port."""
