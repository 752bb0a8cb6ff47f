"""The policy of an application, from everything that is declared; and what is asked about it."""
