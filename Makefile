# Two commands: `make run` (talk to a face) and `make test` (the whole suite). Both set themselves up.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: run setup test check lint types wheel clean

run: setup
	$(BIN)/companion serve

setup: $(VENV)/installed
	$(BIN)/companion setup

test: $(VENV)/installed-dev
	$(BIN)/companion setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

check: lint types

lint: $(VENV)/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/installed-dev
	$(BIN)/pyright

wheel: $(VENV)/installed-dev
	$(BIN)/python -m build --wheel --outdir dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; found $$($(PYTHON) --version). Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps are younger than pyproject.toml when what it names is installed.
$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -e .
	@touch $@

$(VENV)/installed-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -e '.[dev]'
	@touch $(VENV)/installed $@

clean:
	rm -rf $(VENV) build dist
