"""The colours of a picture: as few as 16, chosen by k-means."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clinfa.blas import matmul
from clinfa.cluster import KMeans
from clinfa.datasets import make_blobs

__all__ = ["PALETTES", "Picture", "Quantised", "quantise", "read_picture", "told", "write"]

PALETTES = (64, 16)


@dataclass(frozen=True)
class Picture:
    """An RGB picture."""

    source: str
    pixels: np.ndarray  # (height, width, 3) uint8


@dataclass(frozen=True)
class Quantised:
    """A picture in a few colours."""

    palette: np.ndarray  # (k, 3) uint8, from dark to light
    indices: np.ndarray  # (height, width) uint8
    error: float  # root mean square over pixels and channels, of 255
    seconds: float

    @property
    def pixels(self) -> np.ndarray:
        return self.palette[self.indices]


def read_picture(every: int = 1) -> Picture:
    """A photograph that scikit-learn or matplotlib brings along, else a generated picture.

    Parameters
    ----------
    every : int, default 1
        Take every second pixel in both directions, every third ...
    """
    for read in (_china, _grace_hopper):
        try:
            source, pixels = read()
        except (ImportError, OSError):  # not installed, or without its pictures, or without Pillow
            continue
        return Picture(source, np.ascontiguousarray(pixels[::every, ::every, :3]))
    return Picture("a generated picture (no photograph is installed)", _glass()[::every, ::every])


def _china() -> tuple[str, np.ndarray]:
    from sklearn.datasets import load_sample_image

    return "china.jpg, which comes with scikit-learn", load_sample_image("china.jpg")


def _grace_hopper() -> tuple[str, np.ndarray]:
    from matplotlib.cbook import get_sample_data
    from matplotlib.image import imread

    with get_sample_data("grace_hopper.jpg") as file:
        return "grace_hopper.jpg, which comes with matplotlib", imread(file, format="jpg")


def _glass(height: int = 400, width: int = 600) -> np.ndarray:
    """Something like stained glass: panes of one colour each, lit from a corner, with grain."""
    rng = np.random.RandomState(0)
    panes, _ = make_blobs(60, 5, centers=60, center_box=(0, 1), cluster_std=0.02, random_state=0)
    y, x = np.mgrid[0 : height / width : height * 1j, 0 : 1 : width * 1j]
    where = np.stack([x.ravel(), y.ravel()], axis=1)
    start = panes[:, :2].copy()
    panes_of = KMeans(60, init=start, n_init=1, max_iter=3).fit(where).labels_
    light = 0.35 + 0.65 * np.exp(-(x.ravel() ** 2 + y.ravel() ** 2))
    colour = panes[panes_of, 2:] * light[:, None] + rng.normal(0, 0.02, (height * width, 3))
    return (colour.clip(0, 1) * 255).astype(np.uint8).reshape(height, width, 3)


def quantise(picture: Picture, k: int) -> Quantised:
    """The picture in the k colours that come nearest to its own."""
    colours = picture.pixels.reshape(-1, 3).astype(np.float32)
    start = time.perf_counter()
    model = KMeans(k, random_state=0).fit(colours)
    seconds = time.perf_counter() - start
    order = np.argsort(matmul(model.cluster_centers_, np.array([0.30, 0.59, 0.11], np.float32)))
    return Quantised(
        np.rint(model.cluster_centers_[order]).astype(np.uint8),
        np.argsort(order)[model.labels_].astype(np.uint8).reshape(picture.pixels.shape[:2]),
        float(np.sqrt(model.inertia_ / colours.size)),
        seconds,
    )


def write(picture: Picture, quantised: Sequence[Quantised], out: Path) -> list[Path]:
    """The picture and its quantised forms as PNG files."""
    files = [out / "picture.png"]
    _write_png(files[0], picture.pixels)
    for q in quantised:
        files.append(out / f"picture-{len(q.palette)}-colours.png")
        _write_png(files[-1], q.indices, q.palette)
    return files


def _write_png(path: Path, pixels: np.ndarray, palette: np.ndarray | None = None) -> None:
    """A PNG of RGB pixels (height, width, 3), or of numbers (height, width) into a palette."""
    height, width = pixels.shape[:2]
    if palette is None:
        bits, kind, method = 8, 2, 1  # true colour; each pixel as the difference from its left one
        left = np.zeros_like(pixels)
        left[:, 1:] = pixels[:, :-1]
        rows = (pixels - left).reshape(height, -1)
    else:
        bits, kind, method = 8 if len(palette) > 16 else 4, 3, 0
        rows = pixels
        if bits == 4:
            rows = np.pad(pixels, ((0, 0), (0, width % 2)))
            rows = rows[:, ::2] << 4 | rows[:, 1::2]
    filtered = np.concatenate([np.full((height, 1), method, np.uint8), rows], axis=1)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))]
    if palette is not None:
        chunks.append((b"PLTE", palette.tobytes()))
    chunks += [(b"IDAT", zlib.compress(filtered.tobytes(), 9)), (b"IEND", b"")]
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for name, data in chunks:
            file.write(struct.pack(">I", len(data)) + name + data)
            file.write(struct.pack(">I", zlib.crc32(name + data)))


def told(picture: Picture, quantised: Sequence[Quantised], files: Sequence[Path]) -> Iterator[str]:
    """What is lost and what is gained, in words."""
    height, width, _ = picture.pixels.shape
    distinct = len(np.unique(picture.pixels.reshape(-1, 3), axis=0))
    yield f"   {picture.source}"
    yield f"   {width} x {height} = {width * height:,} pixels, each a point of 3 features (float32)"
    yield ""
    row = "     {:>8}{:>12}{:>18}{:>12}{:>12}"
    yield row.format("colours", "bits/pixel", "error (of 255)", "PNG file", "k-means")
    sizes = [f"{file.stat().st_size / 1000:.0f} kB" for file in files]
    yield row.format(f"{distinct:,}", 24, "0", sizes[0], "")
    for q, size in zip(quantised, sizes[1:]):
        k = len(q.palette)
        yield row.format(k, int(np.log2(k)), f"{q.error:.1f}", size, f"{q.seconds * 1000:.0f} ms")
    yield ""
    yield "   The error is the root mean square over all pixels and channels."
