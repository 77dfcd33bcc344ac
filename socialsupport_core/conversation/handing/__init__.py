"""Handing a conversation on: where to, with which words, and what if nobody comes."""
