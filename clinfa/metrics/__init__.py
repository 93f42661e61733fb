"""Measures of how good predictions and clusterings are: objects, and scikit-learn's functions."""
