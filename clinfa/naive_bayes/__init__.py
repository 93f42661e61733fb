"""Naive Bayes."""

from clinfa.naive_bayes.gaussian import GaussianNB

__all__ = ["GaussianNB"]
