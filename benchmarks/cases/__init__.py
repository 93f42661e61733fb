"""One file of cases per family; each module offers a tuple `CASES`."""

import importlib
import pkgutil

from benchmarks.case import Case

CASES: dict[str, Case] = {
    case.name: case
    for module in pkgutil.iter_modules(__path__)
    for case in importlib.import_module(f"{__name__}.{module.name}").CASES
}
