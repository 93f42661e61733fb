"""Decision trees."""

from clinfa.tree.classification import DecisionTreeClassifier, ExtraTreeClassifier
from clinfa.tree.regression import DecisionTreeRegressor, ExtraTreeRegressor

__all__ = ["DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"]
