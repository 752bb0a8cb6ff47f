"""What every repository and unit of work stores."""
