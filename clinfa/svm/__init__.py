"""Support vector machines."""

from clinfa.svm.classification import SVC, NuSVC
from clinfa.svm.linear import LinearSVC, LinearSVR
from clinfa.svm.one_class import OneClassSVM
from clinfa.svm.regression import SVR, NuSVR

__all__ = ["SVC", "SVR", "LinearSVC", "LinearSVR", "NuSVC", "NuSVR", "OneClassSVM"]
