"""The conformance suite of lease stores."""
