"""Search in space: what neighbours, density clustering and spanning trees share."""

from clinfa.spatial._directions import unit_rows
from clinfa.spatial._index import Index
from clinfa.spatial._kernel_rows import Function, KernelRows, finished
from clinfa.spatial._tree import METRICS, Tree

__all__ = ["METRICS", "Function", "Index", "KernelRows", "Tree", "finished", "unit_rows"]
