# make train        extract features and train; GENRES="hiphop metal" selects genres, RESUME=--resume
#                   continues a stopped training
# make test         run the tests
# make test-lowest  run them with the lowest versions that pyproject.toml allows, in .venv-lowest
# make lint         check style and format
# make bench        measure speed and memory
# make fuzz         try damaged and hostile files, and kill processes at random moments
# The first call creates .venv and installs requirements.txt, or for all but training
# requirements-dev.txt.
PYTHON ?= $(shell command -v python3.11 || echo python3)
INSTALLED := .venv/.installed
DEVELOPING := .venv/.developing
# A test that hangs ends its worker, see pyproject.toml; another worker would only hang again.
PYTEST := -m pytest -n auto --dist loadfile --max-worker-restart 0
TRAIN := .venv/bin/python lstm_genre_classifier_pytorch_PiecewiseDecay.py --recipe improved
# Audio lies in folders; demo/ is the synthetic corpus.
AUDIO := $(filter-out gtzan/demo/.,$(wildcard gtzan/*/.))

.PHONY: train test test-lowest lint bench fuzz

train: $(INSTALLED)
ifneq ($(AUDIO),)
	.venv/bin/python GenreFeatureData.py --lowpass 9000 $(if $(GENRES),--genres $(GENRES))
	$(TRAIN) $(RESUME)
else
	@echo "gtzan/ holds no audio (gtzan/README.md says how to get it):"
	@echo "training on a synthetic demo corpus instead."
	.venv/bin/python GenreFeatureData.py --demo
	$(TRAIN) --demo --epochs 60 $(RESUME)
endif

test: $(DEVELOPING)
	.venv/bin/python $(PYTEST)

test-lowest:
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --no-deps -c requirements.txt torch uv
	.venv-lowest/bin/uv pip install --python .venv-lowest --resolution lowest-direct \
		-r pyproject.toml --extra dev
	.venv-lowest/bin/python $(PYTEST)

lint: $(DEVELOPING)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

bench: $(DEVELOPING)
	.venv/bin/python -m benchmarks

fuzz: $(DEVELOPING)
	.venv/bin/python tests/fuzz.py
	.venv/bin/python tests/crash.py

$(INSTALLED): requirements.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install -r requirements.txt
	@touch $@

$(DEVELOPING): $(INSTALLED) requirements-dev.txt
	.venv/bin/python -m pip install -r requirements-dev.txt
	@touch $@
