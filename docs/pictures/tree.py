"""Draws tree.png: python docs/pictures/tree.py"""

from pathlib import Path

from matplotlib.figure import Figure

from clinfa.datasets import load_iris
from clinfa.tree import DecisionTreeClassifier, plot_tree

iris = load_iris()
model = DecisionTreeClassifier(max_depth=3).fit(iris)
figure = Figure(figsize=(8.6, 5.2))
plot_tree(
    model,
    feature_names=iris.feature_names,
    class_names=["setosa", "versicolor", "virginica"],
    filled=True,
    rounded=True,
    ax=figure.add_axes((0, 0, 1, 1)),
)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=110)
