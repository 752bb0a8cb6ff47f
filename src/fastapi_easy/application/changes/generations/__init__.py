"""Changes of what kept answers depend on."""
