"""Matrix decomposition."""

from clinfa.decomposition.incremental_pca import IncrementalPCA
from clinfa.decomposition.kernel_pca import KernelPCA
from clinfa.decomposition.pca import PCA
from clinfa.decomposition.truncated_svd import TruncatedSVD

__all__ = ["PCA", "IncrementalPCA", "KernelPCA", "TruncatedSVD"]
