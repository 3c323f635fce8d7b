# The two commands of a newcomer are `make demo` and `make test`. Both make .venv and install what they need.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-processes test-browser test-examples test-slow stress test-adapters doctest docs explorer explorer-test lint wheel bench clean

demo: .venv/installed
	$(BIN)/vaeviz demo --out figures

test: .venv/installed
	$(BIN)/python -m pytest -n auto --cov --cov-report=term:skip-covered

# What only other processes show: imports, several jobs, kills and interrupts, plug-ins that end their interpreter.
test-processes: .venv/installed
	$(BIN)/python -m pytest -n auto -m "processes and not slow"

# The pages that vaeviz writes, in Chromium.
test-browser: .venv/installed
	$(BIN)/python -m pytest -m browser tests/explorer tests/export

# The examples, the sessions in the docs, and the additions that CONTRIBUTING.md describes.
test-examples: .venv/installed
	$(BIN)/python -m pytest -n auto -m slow tests/docs

# These, whether errors cover the truth as often as they say, and more cases of what `make test` runs.
test-slow: .venv/installed
	$(BIN)/python -m pytest -n auto -m "slow and not stress"

# Ten minutes of odd arguments, damaged and hostile files, signals and full disks; ROUNDS=60 takes an hour, SEED=1 tries others.
stress: .venv/installed
	$(BIN)/python -m pytest -n auto -m stress tests/stress --stress-rounds $(or $(ROUNDS),10) --stress-seed $(or $(SEED),0)

# The examples in docstrings, and the names and scripts that the documentation mentions.
doctest: .venv/installed
	$(BIN)/python -m pytest --doctest-modules --doctest-ignore-import-errors vaeviz vaeviz_models tests/docs

# The site, in docs/_build/html. Warnings are errors. DOCS_OPTIONS=-tintersphinx also links other libraries, from the network.
docs: .venv/docs
	MPLBACKEND=agg $(BIN)/python -m sphinx -b html -W --keep-going $(DOCS_OPTIONS) docs docs/_build/html

# The explorer's JavaScript, into vaeviz/explorer/static, which is committed: only who changes explorer/src needs node.
explorer: explorer/node_modules/.package-lock.json
	cd explorer && npm run --silent build

explorer-test: explorer/node_modules/.package-lock.json
	cd explorer && npm run --silent check

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
	$(BIN)/python -m numpydoc lint --config . $$(find vaeviz vaeviz_models -name '*.py' -not -path '*/commands/*')
	$(BIN)/lint-imports
	$(BIN)/mypy

.venv/adapters: .venv/installed
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[test,adapters]"
	touch $@

.venv/docs: .venv/installed
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[test,docs]"
	touch $@

explorer/node_modules/.package-lock.json: explorer/package.json explorer/package-lock.json
	cd explorer && npm ci --silent
	touch $@

# The sdist and the wheel, and a first figure from the wheel in an environment of its own.
wheel: .venv/installed
	rm -rf dist
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt build
	$(BIN)/python -m build
	rm -rf .venv-wheel && $(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt torch
	.venv-wheel/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt dist/*.whl
	cd dist && ../.venv-wheel/bin/python ../tests/smoke_test.py
	rm -rf .venv-wheel

clean:
	rm -rf .venv .venv-bench .venv-wheel build dist *.egg-info docs/_build docs/gallery docs/tutorials docs/reference/api explorer/node_modules

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
