# make train: features, then training; GENRES="hiphop metal" selects genres, RESUME=--resume goes on
# with a training that was stopped.
# make test: the tests. make lint: style and format. make bench: speed and memory.
# make fuzz: damaged and hostile files, and processes killed at random moments.
# The first call creates .venv. Training installs requirements.txt into it, the others also
# requirements/dev.txt.
PYTHON ?= $(shell command -v python3.11 || echo python3)
INSTALLED := .venv/.installed
DEVELOPING := .venv/.developing
TRAIN := .venv/bin/python lstm_genre_classifier_pytorch_PiecewiseDecay.py --recipe improved
AUDIO := $(shell find -L gtzan -path gtzan/demo -prune -o ! -name '.*' \
	\( -iname '*.au' -o -iname '*.wav' -o -iname '*.flac' -o -iname '*.ogg' -o -iname '*.mp3' \
	-o -iname '*.aif*' -o -iname '*.opus' -o -iname '*.w64' -o -iname '*.caf' \) \
	-print 2>/dev/null | head -n 1)

.PHONY: train test lint bench fuzz

train: $(INSTALLED)
ifdef AUDIO
	.venv/bin/python GenreFeatureData.py --lowpass 9000 --hop-length 1709 $(if $(GENRES),--genres $(GENRES))
	$(TRAIN) $(RESUME)
else
	@echo "gtzan/ holds no audio (gtzan/README.md says how to get it):"
	@echo "training on a synthetic demo corpus instead."
	.venv/bin/python GenreFeatureData.py --demo --hop-length 1709
	$(TRAIN) --demo --epochs 60 $(RESUME)
endif

test: $(DEVELOPING)
	.venv/bin/python -m pytest -n auto --dist loadfile

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

$(DEVELOPING): $(INSTALLED) requirements/dev.txt
	.venv/bin/python -m pip install -r requirements/dev.txt
	@touch $@
