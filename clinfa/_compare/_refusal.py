"""The one exception of the comparison: it cannot be made, and why."""


class Refusal(Exception):
    """A comparison cannot be made; the text says why, in words for whoever typed the command."""
