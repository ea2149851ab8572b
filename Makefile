# One word an act. Every target makes the environment first: a .venv in this checkout, by plain pip.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-check calibrate fuzz test test-fast test-wide compat gpu lint type check calibrate-resumes kills memory diagnose-bench e2e

kills memory diagnose-bench bench: export PYTHONPATH := $(CURDIR) # they share tests.support

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):[^#]*## (.*)/\1|\2/' | awk -F'|' '{printf "  make %-18s %s\n", $$1, $$2}'

setup: $(READY) ## .venv with the package and the tools of development

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@

demo: $(READY) ## train, kill and resume a real YOLOv8, analyse a healthy and a faulty resume (6 minutes at most)
	$(BIN)/python -m data.demo

demo-check: $(READY) ## analyse 20 healthy resumes of the demo; rewrites tests/measurements/resumes/demo_check.json
	$(BIN)/python -m tests.measurements.resumes.demo_check

SHARDS ?= 2
calibrate: $(READY) ## the tool's own error rates on the full grid; rewrites tests/measurements/simulations/grid.json; goes on where it stopped
	@for i in $$(seq $(SHARDS)); do $(BIN)/drift calibrate data/replicates/*.json --shard $$i/$(SHARDS) > /dev/null & done; wait
	$(BIN)/drift calibrate data/replicates/*.json --out tests/measurements/simulations/grid.json

.PHONY: statistics
statistics: $(READY) ## what other statistics would detect at alpha 0.01 (5 minutes); rewrites tests/measurements/simulations/statistics.json
	$(BIN)/python -m tests.measurements.simulations.statistics

.PHONY: ceiling
ceiling: $(READY) ## what any critical value could detect at alpha 0.01 (a minute); rewrites tests/measurements/simulations/ceiling.json
	$(BIN)/python -m tests.measurements.simulations.ceiling

.PHONY: measure-attribution
measure-attribution: $(READY) ## error rates of --before and of changed arguments, by simulation (4 minutes); rewrites tests/measurements/simulations/attribution.json
	$(BIN)/python -m tests.measurements.simulations.attribution

calibrate-resumes: $(READY) ## 200 healthy and 110 faulty real resumes, each with its own null (hours; resumable); rewrites tests/measurements/resumes/resumes.json
	$(BIN)/python -m tests.measurements.resumes.measure --work work/resumes
	$(BIN)/python -m tests.measurements.resumes.score --work work/resumes --rows data/replicates
	$(BIN)/python -m tests.measurements.resumes.borrowed_rows --work work/resumes

fuzz: $(READY) ## 20,000 damaged files of known meaning (20 s of processor time); rewrites tests/measurements/fuzz/cases.json and the table of SECURITY.md
	$(BIN)/python -m tests.measurements.fuzz.run --cases 20000 --out tests/measurements/fuzz/cases.json --doc SECURITY.md

kills: $(READY) ## SIGKILL driver and worker at 200 random instants, 12 more of a real training (15 minutes; resumable); rewrites tests/measurements/robustness/kills.json
	$(BIN)/python -m tests.measurements.robustness.kills --work work/kills --out tests/measurements/robustness/kills.json

memory: $(READY) ## memory over 1000 replicates of the driver and of the worker (6 minutes); rewrites tests/measurements/robustness/memory.json
	$(BIN)/python -m tests.measurements.robustness.memory --out tests/measurements/robustness/memory.json

diagnose-bench: $(READY) ## 78 faulty and 40 healthy real resumes, each diagnosed with and without a replay (hours; resumable); rewrites tests/measurements/diagnosis/diagnosis.json and docs/FAULTS.md
	$(BIN)/python -m tests.measurements.diagnosis.measure --work work/diagnosis
	$(BIN)/python -m tests.measurements.diagnosis.score --work work/diagnosis
	$(BIN)/python -m tests.measurements.write_faults docs/FAULTS.md

e2e: $(READY) ## every fault once, made by plain Ultralytics, named first by `drift analyze` (minutes)
	$(BIN)/python -m pytest tests/real/test_faults_end_to_end.py -m real

.PHONY: measure-guard
measure-guard: $(READY) ## the guard's alarm inside the epoch on 80 real resumes (an hour; resumable); rewrites tests/measurements/guard/alarm.json
	$(BIN)/python -m tests.measurements.guard.alarm --work work/alarm

.PHONY: measure-inside
measure-inside: $(READY) ## error rates of --fraction, and the alarm with nulls of its own, after measure-guard (half an hour; resumable); rewrites tests/measurements/guard/inside.json
	$(BIN)/python -m tests.measurements.guard.inside --work work/alarm

test: $(READY) ## the whole test suite, two files at a time
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-fast: $(READY) ## the tests that train nothing
	$(BIN)/python -m pytest -m "not real and not slow"

test-wide: $(READY) ## every family of every task: replicates bit-identical to plain resumes (10 minutes)
	$(BIN)/python -m pytest -m "" tests/real/test_tasks.py

compat: $(READY) ## the tests that touch Ultralytics under five of its versions (30 minutes); rewrites tests/measurements/compat/versions.json
	$(BIN)/python -m tests.measurements.compat.versions

.PHONY: oldest
oldest: $(READY) ## the tests under the lowest Python and dependencies that are promised (20 minutes, 3 GB); rewrites tests/measurements/oldest.json
	$(BIN)/python -m tests.measurements.oldest --python $(PYTHON)

gpu: $(READY) ## what only a CUDA device can show: fidelity, AMP, workers, replay; rewrites tests/real/gpu.json
	$(BIN)/python -m pytest -m gpu -rs tests/real/test_gpu.py

lint: $(READY) ## style, formatting and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

type: $(READY) ## types
	$(BIN)/mypy

.PHONY: docs
docs: $(READY) ## the documentation as pages in build/site, without a network and without a warning
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[docs]"
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

check: lint type test ## everything that has to hold before a commit

.PHONY: bench
bench: $(READY) ## speed against plain Ultralytics (an hour); rewrites tests/measurements/bench/performance.json and docs/PERFORMANCE.md
	$(BIN)/python -m tests.measurements.bench.run --work work/bench
