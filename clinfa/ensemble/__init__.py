"""Models made of many models: votes, stacks, bags, stages."""

from clinfa.ensemble.bagging import BaggingClassifier, BaggingRegressor
from clinfa.ensemble.stacking import StackingClassifier, StackingRegressor
from clinfa.ensemble.stagewise import StagewiseRegressor
from clinfa.ensemble.voting import VotingClassifier, VotingRegressor

__all__ = [
    "BaggingClassifier",
    "BaggingRegressor",
    "StackingClassifier",
    "StackingRegressor",
    "StagewiseRegressor",
    "VotingClassifier",
    "VotingRegressor",
]
