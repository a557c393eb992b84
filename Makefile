# Every target installs what it needs into .venv (docs: .venv-docs); PYTHON=/path/to/python chooses the interpreter.
.DEFAULT_GOAL := help
.PHONY: help setup demo loop test test-lowest test-light coverage lint docs examples release-check bench image clean
export PYTHON
# The tests start hundreds of processes, each of which would compile maskdet anew.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
ARGS ?=
FLOOR ?= 90
# Three files at a time: most tests wait for a process that they started. They come in the order of conftest.py.
PYTEST := -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder
WITHOUT_PADDLE := $(addprefix tests/,cli dataset detector evaluation prediction serving)

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST)

setup: ## Make .venv and install the locked packages (the targets below do this automatically)
	@scripts/set_up.sh

demo: setup ## Train on the drawn sample set, export, serve and send one request
	@$(BIN)/python scripts/demo.py

loop: setup ## Correct pictures, retrain, judge, promote and roll back while a server answers (docs/loop.md)
	@$(BIN)/python scripts/loop.py

# The threads of linear algebra in two processes would wait for each other, and OpenMP's would spin as they wait.
test test-lowest test-light coverage: export OPENBLAS_NUM_THREADS ?= 1
test test-lowest test-light coverage examples: export OMP_WAIT_POLICY ?= PASSIVE

test: setup ## Run the tests (ARGS="-k name" passes options to pytest)
	$(BIN)/python $(PYTEST) $(ARGS)

# Old releases call APIs that newer releases of their own dependencies deprecate.
test-lowest: ## Run the tests that need no Paddle with the lowest versions that pyproject.toml allows
	@scripts/set_up.sh requirements/lowest.txt .venv-lowest
	.venv-lowest/bin/python $(PYTEST) -W default::DeprecationWarning $(WITHOUT_PADDLE) $(ARGS)

test-light: ## Run the same tests with the newest locked versions, also on Python 3.13, for which there is no training
	@scripts/set_up.sh requirements/light.txt .venv-light 13
	.venv-light/bin/python $(PYTEST) $(WITHOUT_PADDLE) $(ARGS)

coverage: setup ## Run all tests and fail if fewer lines and branches are covered than FLOOR percent
	$(BIN)/python $(PYTEST) --cov --cov-fail-under=$(FLOOR) $(ARGS)

lint: setup ## Check style, types and import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The site's packages stay out of .venv; NO_MKDOCS_2_WARNING silences an advertisement of the theme.
docs: export NO_MKDOCS_2_WARNING := 1
docs: ## Check the spelling, build the documentation site into build/site and check its links
	@scripts/set_up.sh requirements/docs.txt .venv-docs
	.venv-docs/bin/codespell
	.venv-docs/bin/mkdocs build --strict --quiet
	.venv-docs/bin/python scripts/docs_site/check_site.py build/site

examples: setup ## Run the examples of all pages as they stand (ARGS=docs/serving.md runs those of one, ARGS=--short fewer; needs port 8866)
	@$(BIN)/python scripts/examples $(ARGS)

release-check: setup ## Build wheel and source distribution twice and check all that a release has (docs/releasing.md)
	@scripts/set_up.sh requirements/release.txt .venv-release
	@.venv-release/bin/python scripts/release $(ARGS)

bench: setup ## Compare the server with others on this machine
	@$(BIN)/python scripts/bench_serving $(ARGS)

image: setup ## Build the server's image without Docker and check it in a container (as root; docs/containers.md)
	@$(BIN)/python scripts/build_image $(ARGS)

clean: ## Delete .venv, results (runs/) and caches
	rm -rf .venv .venv-light .venv-lowest .venv-docs .venv-release runs build dist .coverage* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
