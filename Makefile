# Everything runs inside .venv, which the first command makes. TORCH_INDEX=<url> picks another torch build.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

# Compiled files halve the start of a process, and the tests start many; containers often forbid them.
unexport PYTHONDONTWRITEBYTECODE

PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help train test test-all lint tensorboard upgrade clean

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

train: $(VENV)/train.stamp ## set up, then train on the embedded penguins; ARGS="data=digits" passes overrides
	$(BIN)/python train.py $(ARGS)

test: $(VENV)/dev.stamp ## set up, then run the tests that take seconds
	$(PYTEST) $(ARGS)

test-all: $(VENV)/dev.stamp ## the same and the slow ones
	$(PYTEST) -m "not nightly" $(ARGS)

lint: $(VENV)/dev.stamp ## style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

tensorboard: $(VENV)/train.stamp ## curves of all runs, on this machine only
	$(BIN)/tensorboard --logdir runs --host 127.0.0.1

upgrade: ## put a newer toolkit in the place of src/kindling: FROM=../kindling, or a wheel [WITH=serve]
	@PYTHONPATH=src $(PYTHON) -m kindling.template.upgrade "$(FROM)" --with "$(WITH)" $(if $(FORCE),--force)

clean: ## remove what tools left behind; runs and data stay
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -o -name '*.egg-info' | xargs rm -rf

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/train.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/train.stamp

# What follows is the template's own; a project made of it has none of it.
.PHONY: new mine docs test-nightly chaos bench bench-quick

OWN = PYTHONPATH=src $(PYTHON) -m kindling.template.own_project "$(NAME)" --without "$(WITHOUT)" --holder "$(HOLDER)"

new: ## a project of your own: NAME=leafnet [DEST=../leafnet] [WITHOUT=serve,export] [HOLDER="A. Person"]
	@$(OWN) $(if $(DEST),--dest "$(DEST)")

mine: ## the same in place, in a repository that was made by "Use this template": NAME=leafnet
	@$(OWN) --in-place
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m pip uninstall --quiet --yes kindling; fi

docs: $(VENV)/dev.stamp ## these pages as a site: build/site/index.html
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -c docs . build/site

test-nightly: $(VENV)/dev.stamp ## hundreds of random files, for minutes
	$(PYTEST) -m nightly $(ARGS)

chaos: $(VENV)/dev.stamp ## kill a run of a table and one of images 20 times at random: the same end; CHAOS_SEED=7
	$(BIN)/python -m pytest -m nightly tests/kindling/whole/test_chaos.py $(ARGS)

bench: $(VENV)/bench.stamp ## all benchmarks, under ten minutes: the tables of docs/performance.md
	$(BIN)/python benchmarks/bench.py $(ARGS)

bench-quick: $(VENV)/bench.stamp ## the same with fewer rows and turns, under 90 s; writes nothing
	$(BIN)/python benchmarks/bench.py --quick $(ARGS)

$(VENV)/bench.stamp: $(VENV)/train.stamp
	$(PIP) -e '.[bench]'
	@touch $@
