"""The interface of messages: bytes into commands, and what came of them into what a broker does next."""
