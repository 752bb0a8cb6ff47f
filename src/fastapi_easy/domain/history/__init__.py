"""What an entity was: its history, and its values at a time in the past."""
