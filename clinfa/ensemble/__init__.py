"""Models made of many models: votes, stacks, bags, stages, forests."""

from clinfa.ensemble.adaboost_classifier import AdaBoostClassifier
from clinfa.ensemble.adaboost_regressor import AdaBoostRegressor
from clinfa.ensemble.bagging import BaggingClassifier, BaggingRegressor
from clinfa.ensemble.forest_classification import ExtraTreesClassifier, RandomForestClassifier
from clinfa.ensemble.forest_regression import ExtraTreesRegressor, RandomForestRegressor
from clinfa.ensemble.isolation_forest import IsolationForest
from clinfa.ensemble.stacking import StackingClassifier, StackingRegressor
from clinfa.ensemble.stagewise import StagewiseRegressor
from clinfa.ensemble.voting import VotingClassifier, VotingRegressor

__all__ = [
    "AdaBoostClassifier",
    "AdaBoostRegressor",
    "BaggingClassifier",
    "BaggingRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "IsolationForest",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "StackingClassifier",
    "StackingRegressor",
    "StagewiseRegressor",
    "VotingClassifier",
    "VotingRegressor",
]
