"""What a user declares, and the resource it becomes."""
