"""Whether a step took effect, as the catalogue of the server says."""
