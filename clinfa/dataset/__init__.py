"""Dataset: records, targets, weights and names, carried together; and what comes out of cutting one up."""

from clinfa.dataset._correlation import PearsonCorrelation
from clinfa.dataset._dataset import Dataset
from clinfa.dataset._resampling import Parts
from clinfa.dataset._validation import CrossValidation
from clinfa.dataset.pr import Pr

__all__ = ["CrossValidation", "Dataset", "Parts", "PearsonCorrelation", "Pr"]
