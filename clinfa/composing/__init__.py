"""Models made of models."""

from clinfa.composing.multi_class import MultiClassModel
from clinfa.composing.multi_target import MultiTargetModel
from clinfa.composing.platt import Platt, PlattModel
from clinfa.composing.residual_chain import ResidualChain, ResidualChainModel

__all__ = [
    "MultiClassModel",
    "MultiTargetModel",
    "Platt",
    "PlattModel",
    "ResidualChain",
    "ResidualChainModel",
]
