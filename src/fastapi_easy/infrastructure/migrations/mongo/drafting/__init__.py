"""From what is stored to what is declared: the steps between them."""
