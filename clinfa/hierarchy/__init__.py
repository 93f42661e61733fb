"""Spanning trees and the single-linkage tree: what density clustering and hierarchical clustering share."""

from clinfa.hierarchy._linkage import SingleLinkage, single_linkage
from clinfa.hierarchy._spanning import (
    SpanningTree,
    in_turn,
    reduced_nearest,
    spanning_tree,
    spanning_tree_dense,
    spanning_tree_sparse,
)

__all__ = [
    "SingleLinkage",
    "SpanningTree",
    "in_turn",
    "reduced_nearest",
    "single_linkage",
    "spanning_tree",
    "spanning_tree_dense",
    "spanning_tree_sparse",
]
