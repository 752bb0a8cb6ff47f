"""The use cases as methods, for one caller: what `kernel.books` is."""
