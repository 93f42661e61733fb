"""What models have learned: which columns they need, and how predictions depend on them."""

from clinfa.inspection.dependence import partial_dependence
from clinfa.inspection.display import PartialDependenceDisplay
from clinfa.inspection.importance import Importances, permutation_importance

__all__ = ["Importances", "PartialDependenceDisplay", "partial_dependence", "permutation_importance"]
