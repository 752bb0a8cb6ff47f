"""Who watches how calls go."""
