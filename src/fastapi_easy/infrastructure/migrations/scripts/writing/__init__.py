"""Scripts as people read and edit them."""
