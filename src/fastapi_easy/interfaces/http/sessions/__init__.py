"""Sessions of browsers: the routes to log in, to ask who has, and to log out."""
