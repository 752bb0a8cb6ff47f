"""Parts of making a resource of a declaration."""
