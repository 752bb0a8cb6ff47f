"""JSON Web Tokens as credentials (RFC 7519, RFC 8725, RFC 9068)."""
