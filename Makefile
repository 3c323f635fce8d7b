# The two commands of a newcomer are `make demo` and `make test`. Both make .venv and install what they need.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-adapters bench lint clean

demo: .venv/installed
	$(BIN)/vaeviz demo --out figures

test: .venv/installed
	$(BIN)/python -m pytest -n auto

# Every library that an adapter opens, beside what `make test` installs: some 2 GB.
test-adapters: .venv/adapters
	$(BIN)/python -m pytest -m adapters

# Beside the peers, in an environment of its own; MNIST=FOLDER names a folder with the IDX files, else they are fetched.
bench: .venv-bench/installed
	.venv-bench/bin/python -m benchmarks $(if $(MNIST),--data-dir "$(MNIST)")

# Style, docstrings, types, and which room may import which.
lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

.venv/adapters: .venv/installed
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[test,adapters]"
	touch $@

clean:
	rm -rf .venv .venv-bench build *.egg-info

# torch comes first and pinned: what asks for it later then finds it there and fetches no other build.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"vaeviz needs Python 3.11 or newer, {sys.executable} is {sys.version.split()[0]}; name another one: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[test,lint]"
	touch $@

.venv-bench/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt torch
	.venv-bench/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[bench]"
	touch $@
