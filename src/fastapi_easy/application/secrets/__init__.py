"""Fields that are encrypted at rest, and passwords."""
