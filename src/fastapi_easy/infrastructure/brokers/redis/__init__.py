"""Streams of Redis or Valkey."""
