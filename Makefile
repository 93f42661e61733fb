# One word per task. Each does its own set-up in .venv, and again only when the sources of the build change.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip -q --disable-pip-version-check
# What the built modules depend on; a change in a .py file needs no build.
SOURCES := pyproject.toml setup.py clinfa/_core/isa.py \
           $(wildcard clinfa/_core/*.pyx clinfa/_core/*.pxd clinfa/_core/*.h)
THREADS := 2

.PHONY: help demo test test-quick test-isa test-debug sklearn-suite bench lint docs clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/built $(VENV)/has-plot,compare ## k-means on real data, a race with scikit-learn, pictures in demo/
	@$(PY) -m clinfa demo

test: $(VENV)/built $(VENV)/has-test ## all tests, examples in docstrings and pages included
	@$(PY) -m pytest -n $(THREADS)

test-quick: $(VENV)/built $(VENV)/has-test ## the tests that take less than five seconds each
	@$(PY) -m pytest -n $(THREADS) -m "not slow"

test-isa: $(VENV)/built $(VENV)/has-test ## kernels and clustering at every instruction-set level of this CPU
	@echo "building every level"
	@CLINFA_LEVELS=all $(PY) setup.py -q build_ext --inplace
	@levels=$$($(PY) -c 'from clinfa._core import built, isa; print(*built[:built.index(isa.best_here(built)) + 1])'); \
	for level in $$levels; do \
		echo "CLINFA_ISA=$$level"; \
		CLINFA_ISA=$$level $(PY) -m pytest -n $(THREADS) tests/kernels tests/cluster; \
	done

# In a copy of the tree, so that the usual build is never a debug one.
test-debug: $(VENV)/built $(VENV)/has-test ## all tests on a build with every bounds check on
	@echo "building with bounds checks, in build/debug"
	@mkdir -p build/debug
	@tar --exclude='*.so' --exclude=__pycache__ --exclude=target -cf - \
		$(wildcard clinfa tests docs benchmarks sklearn_suite *.py *.toml *.md LICENSE MANIFEST.in Makefile) \
		| tar -xf - -C build/debug
	@cd build/debug && CLINFA_DEBUG=1 ../../$(PY) setup.py -q build_ext --inplace
	@cd build/debug && CLINFA_DEBUG=1 PYTHONPATH=$(CURDIR)/build/debug ../../$(PY) -m pytest -n $(THREADS)

sklearn-suite: $(VENV)/built $(VENV)/has-test ## scikit-learn's own tests with its names meaning clinfa's
	@$(PY) -m sklearn_suite -n $(THREADS)

bench: $(VENV)/built $(VENV)/has-bench ## clinfa against its peers: a table and a picture (several minutes)
	@$(PY) -m benchmarks

lint: $(VENV)/has-lint ## ruff: rules and format
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check

docs: $(VENV)/built $(VENV)/has-test ## run the examples in docs and docstrings, follow the links between pages
	@$(PY) -m pytest tests/docs

clean: ## remove everything that was made here, the virtual environment too
	@rm -rf $(VENV) build dist demo *.egg-info .pytest_cache .ruff_cache clinfa/_core/*/
	@find clinfa tests benchmarks sklearn_suite -name __pycache__ -prune -exec rm -rf {} +

# Set-up. A file in .venv says what has been done.

$(VENV)/made:
	@found=; for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
		if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
		then found=$$python; break; fi; done; \
	if [ -z "$$found" ]; then \
		echo "make: no Python >= 3.11 with the venv module here (Debian: apt-get install python3-venv;" \
			"or make PYTHON=/path/to/python)" >&2; exit 1; fi; \
	echo "making $(VENV) with $$($$found --version)"; \
	rm -rf $(VENV); $$found -m venv $(VENV)
	@touch $@

# The packages that an extra names: .venv/has-test, .venv/has-plot,compare; "build" is [build-system]'s list.
$(VENV)/has-%: pyproject.toml | $(VENV)/made
	@echo "installing what is needed for: $*"
	@$(PY) -c 'import sys, tomllib; project = tomllib.load(open("pyproject.toml", "rb")); \
		lists = project["project"]["optional-dependencies"] | {"build": project["build-system"]["requires"]}; \
		print(*(need for name in sys.argv[1].split(",") for need in lists[name]), sep="\n")' $* > $(VENV)/needs.txt
	@$(PIP) install -r $(VENV)/needs.txt
	@touch $@

# clinfa in place. After a change in a kernel only that kernel is compiled again.
$(VENV)/built: $(SOURCES) | $(VENV)/has-build
	@if [ pyproject.toml -nt $@ ] || [ setup.py -nt $@ ]; then \
		echo "building clinfa in place (about a minute)"; $(PIP) install --no-build-isolation -e .; \
	else \
		echo "building what changed"; $(PY) setup.py -q build_ext --inplace; \
	fi
	@touch $@
