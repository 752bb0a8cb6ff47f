"""A hexagonal application kernel for Python web backends.

This root imports nothing, so that every room can be entered alone: `fastapi_easy.domain`,
`fastapi_easy.application`, `fastapi_easy.container`, `fastapi_easy.bootstrap`, `fastapi_easy.testing`.
"""
