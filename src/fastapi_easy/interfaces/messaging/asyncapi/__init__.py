"""The messages of an application, described in AsyncAPI."""
