"""The same API several times: each module is a column of the tables, and an ASGI application called `app`."""
