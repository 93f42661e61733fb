"""Decision trees."""

from clinfa.tree.classification import DecisionTreeClassifier, ExtraTreeClassifier
from clinfa.tree.graphviz import export_graphviz
from clinfa.tree.plot import plot_tree
from clinfa.tree.regression import DecisionTreeRegressor, ExtraTreeRegressor
from clinfa.tree.text import export_text
from clinfa.tree.tikz import export_tikz

__all__ = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
    "export_graphviz",
    "export_text",
    "export_tikz",
    "plot_tree",
]
