"""The composition root: what stands behind which port, and how an instance of a container is put together."""
