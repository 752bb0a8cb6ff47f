"""Comparisons of texts: whole words, parts, and the indexes that find them."""
