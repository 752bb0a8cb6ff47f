"""Code of users that is called before and after what migrations do."""
