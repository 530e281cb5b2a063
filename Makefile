# make lenet      train Caffe's LeNet on MNIST from scratch: 10,000 iterations, 99 %
# make test       set up and run the tests
# make test-cuda  compile the CUDA kernels, and run them in Numba's simulator; it takes no GPU
# make lint       style, types and the order of the floors
# make bench      time the kernels and whole training beside NumPy and PyTorch; write the tables
# make clean      remove what these made
#
# where there is an NVIDIA GPU
# make test-gpu   run the tests on it
# make bench-gpu  time its kernels and training beside PyTorch's; write bench/results

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
FLOORS := io kernels layers net proto solver tools

.PHONY: lenet test test-cuda test-gpu lint bench bench-gpu clean

lenet: $(VENV)/installed
	$(BIN)/python -m tools.create_mnist
	$(BIN)/python -m tools.caffe train --solver=examples/mnist/lenet_solver.prototxt

test: $(VENV)/installed-test
	$(BIN)/python -m pytest

test-cuda: $(VENV)/installed-cuda
	$(BIN)/python -m pytest tests/cuda tests/kernels/test_twins.py
	NUMBA_ENABLE_CUDASIM=1 CAFFE_TEST_TWIN=cuda $(BIN)/python -m pytest \
		tests/kernels tests/layers tests/solver/test_recorded.py tests/tools/test_devices.py

test-gpu: $(VENV)/installed-cuda
	$(BIN)/python -m pytest tests/gpu

lint: $(VENV)/installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	mkdir -p build/types/caffe
	ln -sfn $(addprefix ../../../,$(wildcard *.py) $(FLOORS)) build/types/caffe/
	cd build/types && ../../$(BIN)/mypy --config-file ../../pyproject.toml -p caffe
	$(BIN)/lint-imports

bench: $(VENV)/installed-bench
	mkdir -p build/bench
	$(BIN)/python -m pytest bench -q -o python_files='bench_*.py' --benchmark-enable --benchmark-quiet \
		--benchmark-json=build/bench/kernels.json
	$(BIN)/python -m bench.lenet
	$(BIN)/python -m bench.report
	$(BIN)/python -m bench.steps.report

bench-gpu: $(VENV)/installed-cuda $(VENV)/installed-bench
	$(BIN)/python -m bench.gpu

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("numba-caffe needs Python 3.11 or newer: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/installed-test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test]'
	touch $@ $(VENV)/installed

$(VENV)/installed-cuda: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test,cuda]'
	touch $@ $(VENV)/installed

$(VENV)/installed-lint: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[lint]'
	touch $@ $(VENV)/installed

$(VENV)/installed-bench: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[bench]'
	touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) build *.egg-info examples/mnist/*_lmdb examples/mnist/lenet*_iter_* \
		examples/mnist/.*.tmp
