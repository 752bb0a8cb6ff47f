"""Stored schemas: compared with what is declared, and changed step by step."""
