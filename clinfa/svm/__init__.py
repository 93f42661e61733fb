"""Support vector machines."""

from clinfa.svm.classification import SVC, NuSVC
from clinfa.svm.one_class import OneClassSVM
from clinfa.svm.regression import SVR, NuSVR

__all__ = ["SVC", "SVR", "NuSVC", "NuSVR", "OneClassSVM"]
