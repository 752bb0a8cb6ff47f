"""How plans are made, checked and divided."""
