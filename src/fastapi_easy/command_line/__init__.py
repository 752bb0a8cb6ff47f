"""What commands ask of an application, put together from its facades: the rest of `__main__`."""
