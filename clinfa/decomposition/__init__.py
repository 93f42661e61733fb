"""Matrix decomposition."""

from clinfa.decomposition.incremental_pca import IncrementalPCA
from clinfa.decomposition.pca import PCA

__all__ = ["PCA", "IncrementalPCA"]
