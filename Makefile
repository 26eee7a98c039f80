# make demo    a whole lineage on this machine, no GPU, no network but the package index
# make status  where a run stands, beside it or after it: DIRECTORY=. (the folder that it runs in)
# make test    all tests but those of minutes, which `make test-slow` runs
# make check   format, lint, and who imports whom
# make bench   speed and memory side by side with transformers, into docs/performance.md
# make mutate  how many planted faults the tests catch: PACKAGE= SAMPLE=200 SEED=0 MINUTES=120
PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/bash

.PHONY: demo status install install-dev test test-slow bench mutate check format clean

demo: install
	$(BIN)/snakemake --cores all demo
	@echo; cat results/demo/table.md
	@echo; echo "Report:   results/demo/report.html (open it in a browser)"
	@echo "Figures:  results/demo/figures/"
	@echo "Samples:  results/demo/samples.md"

# Installs nothing: a run may be at work. 3: it is, and nothing has failed; `status.py --help` has the others.
status: DIRECTORY ?= .
status:
	@test -x $(BIN)/python || { echo "Nothing is installed here yet: make install"; exit 2; }
	@$(BIN)/python workflow/scripts/status.py --directory "$(DIRECTORY)" || [ $$? -eq 3 ]

install: .venv/installed
install-dev: .venv/installed-dev

.venv/installed: envs/requirements.txt envs/snakemake
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Ouroboros needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Say which to use: make PYTHON=python3.11"; exit 1; }
	@PYTHONPATH=workflow/scripts $(PYTHON) -m ouroboros.preflight.place
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r envs/requirements.txt
	@install -m 755 envs/snakemake $(BIN)/snakemake
	@touch $@

.venv/installed-dev: .venv/installed envs/requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r envs/requirements-dev.txt
	@touch $@

# Four files at a time, a thread each: tests/slurm mostly waits.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

test: install-dev
	$(PYTEST)

test-slow: install-dev
	$(PYTEST) -m "slow and not alone"
	$(BIN)/python -m pytest -m alone

bench: install-dev
	$(BIN)/python benchmarks/all.py

mutate: SAMPLE ?= 200
mutate: SEED ?= 0
mutate: MINUTES ?= 120
mutate: install-dev
	OMP_NUM_THREADS=1 nice $(BIN)/python benchmarks/mutation.py --package $(PACKAGE) \
	  --sample $(SAMPLE) --seed $(SEED) --minutes $(MINUTES)

check: install-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint
	PYTHONPATH=workflow/scripts $(BIN)/lint-imports

format: install-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile workflow/rules

clean:
	rm -rf .venv .snakemake logs mutants
	find results/ -mindepth 1 ! -path results/README.md -delete
