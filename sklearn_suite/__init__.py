"""scikit-learn's own test files, run against clinfa: ``make sklearn-suite``."""
