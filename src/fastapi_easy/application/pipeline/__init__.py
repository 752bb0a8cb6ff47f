"""What happens around every use case."""
