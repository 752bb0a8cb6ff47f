"""Whole applications, each with its tests."""
