"""JSON and text as values of a field's type, and back."""
