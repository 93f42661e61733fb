# BLAS and LAPACK from SciPy, for small matrices: the only file that names them. They count in columns: a symmetric
# matrix reads the same either way, and column j of theirs is row j of ours.
from scipy.linalg.cython_blas cimport dtrsm
from scipy.linalg.cython_lapack cimport dpstrf, dsyevd, dsygst
