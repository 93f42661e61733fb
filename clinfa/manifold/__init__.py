"""Coordinates of records on the shape that they lie on."""

from clinfa.manifold.diffusion_map import DiffusionMap
from clinfa.manifold.spectral import SpectralEmbedding, spectral_embedding

__all__ = ["DiffusionMap", "SpectralEmbedding", "spectral_embedding"]
