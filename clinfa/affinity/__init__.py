"""Symmetric graphs of affinity and the walks on them: what spectral methods share."""

from clinfa.affinity._embed import EIGEN_SOLVERS, asymmetry, embed, mean_with_mirror
from clinfa.affinity._neighbours import Neighbourhood, symmetrised
from clinfa.affinity._walk import Spectrum, components, laplacian_pairs, walk_pairs

__all__ = [
    "EIGEN_SOLVERS",
    "Neighbourhood",
    "Spectrum",
    "asymmetry",
    "components",
    "embed",
    "laplacian_pairs",
    "mean_with_mirror",
    "symmetrised",
    "walk_pairs",
]
