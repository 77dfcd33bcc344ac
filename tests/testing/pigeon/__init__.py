"""A network that exists only here: small, complete and correct, so that the kit can be tried on it."""
