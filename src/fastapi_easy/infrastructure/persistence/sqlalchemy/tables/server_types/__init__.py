"""Column types of servers whose values Python has no type for: read and written as the server spells them."""
