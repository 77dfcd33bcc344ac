"""The `socialsupport` command."""
