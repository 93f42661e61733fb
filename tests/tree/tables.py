"""Tables with columns of categories."""

import numpy as np
import pandas as pd

COLOURS = ["blue", "green", "grey", "pink", "red", "teal"]


def records(n, seed=0, gaps=True):
    """Two columns of categories, two of numbers; and an effect of each."""
    rng = np.random.default_rng(seed)
    X = np.stack([rng.integers(0, 40, n), rng.integers(0, 3, n), *rng.standard_normal((2, n))], axis=1)
    effects = rng.standard_normal(40)
    signal = effects[X[:, 0].astype(int)] + (X[:, 1] == 1) * X[:, 2] + 0.5 * rng.standard_normal(n)
    if gaps:
        X[rng.random(n) < 0.05, 0] = np.nan
    return X, signal


def paints(n=300):
    """Sizes and names of colours, some missing; and whether two of the colours, or large, but not both."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.standard_normal(n), "colour": rng.choice(COLOURS, n)})
    y = frame["colour"].isin(["red", "teal"]).to_numpy() ^ (frame["size"] > 1).to_numpy()
    frame.loc[::30, "colour"] = None
    return frame, y
