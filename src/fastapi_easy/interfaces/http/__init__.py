"""REST over HTTP: plain ASGI from the server to the kernel; FastAPI carries the app and its documentation."""
