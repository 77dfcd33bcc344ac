"""socialsupport: one continuous customer conversation, whatever the channel."""

__version__ = "0.1.0a1"
