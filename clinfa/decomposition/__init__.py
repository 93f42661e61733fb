"""Matrix decomposition."""

from clinfa.decomposition.pca import PCA

__all__ = ["PCA"]
