"""What policies are declared with, and what they mean: rules, roles, placeholders, combinations."""
