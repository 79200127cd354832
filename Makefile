# awgproxy: `make` lists what there is. Everything is built in .venv, target and interop/bin of this folder.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
RUST := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
VENV := .venv
BIN := $(VENV)/bin
T ?= 60
AT_ONCE ?= 3
FUZZ = RUSTC_WRAPPER=$(CURDIR)/fuzz/rustc CARGO_PROFILE_RELEASE_LTO=off cargo fuzz
FUZZ_OPTIONS = --sanitizer none --features libfuzzer --codegen-units 16
TARGETS ?= $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs)))
EXTENSION_SOURCES := $(shell find crates -name '*.rs' -o -name Cargo.toml 2>/dev/null) Cargo.toml Cargo.lock pyproject.toml

.PHONY: help
help: ## this list
	@echo "awgproxy: a proxy server and client joined by an AmneziaWG tunnel"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 26

.PHONY: demo
demo: build ## build, then a server, a client and a transfer through SOCKS5, for real
	@$(BIN)/awgproxy demo

.PHONY: build
build: $(VENV)/.extension ## .venv with awgproxy and its release extension

.PHONY: test
test: test-rust test-python ## the tests

.PHONY: test-all
test-all: test ## `make test`, and the rest of the matrix of interop
	@$(BIN)/python -m pytest -m matrix -n $(AT_ONCE) tests/interop

.PHONY: test-lossy
test-lossy: build ## a gigabyte each way, a hundred streams, changes of rate, on links that lose and reorder (10 minutes, root)
	@$(BIN)/python -m pytest -m lossy tests/lossy

.PHONY: test-rust
test-rust: tools ## the crates' tests
	@echo "building and running the crates' tests (some minutes the first time)"
	@cargo test --workspace --exclude awg-python --quiet

.PHONY: test-python
test-python: build ## the package's tests, interop with other implementations included; many wait, so AT_ONCE=3 run at a time
	@$(BIN)/python -m pytest -n $(AT_ONCE) --dist worksteal

.PHONY: check
check: build ## formats, lints, types, floors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if command -v go >/dev/null; then cd interop && test -z "$$(gofmt -l .)" && go vet ./... && go vet -modfile=later.mod ./device; \
	else echo "Go is missing, interop is not checked: install Go 1.25 or newer"; fi

.PHONY: fmt
fmt: build ## format everything
	cargo fmt --all
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	@if command -v go >/dev/null; then gofmt -w interop; fi

.PHONY: bench
bench: build $(VENV)/.scorecard ## throughput, CPU, times and memory beside others, on loopback and on links, as ratios (two hours, root)
	@$(BIN)/python -m bench $(BENCH)

.PHONY: bench-recovery
bench-recovery: build ## how long a proxy is away after restarts, outages and moves, beside a rival (25 minutes, root)
	@$(BIN)/python -m bench.recovery

.PHONY: bench-scale
bench-scale: build ## what a peer, a round trip and an idle connection cost, and 1,000 peers with 10,000 connections (5 minutes, root)
	@$(BIN)/python -m bench.scale

.PHONY: scorecard
scorecard: build $(VENV)/.scorecard ## what an observer can tell of each profile, into docs/resistance.md (8 minutes, root)
	@$(BIN)/python -m scorecard

.PHONY: scorecard-short
scorecard-short: build $(VENV)/.scorecard ## the same with fewer flows (5 minutes, root): judges, and writes nothing
	@$(BIN)/python -m scorecard --short

.PHONY: bench-obfuscation
bench-obfuscation: tools ## instructions that S4 and H ranges add to a sealed packet
	@bench/obfuscation-cost

.PHONY: macos
macos: $(VENV)/.installed ## cross-build and link the extension for macOS on Apple silicon, with zig as its C compiler
	@command -v rustup >/dev/null || { echo "rustup is missing: install it from rustup.rs (it brings Rust's library for macOS)" >&2; exit 1; }
	@echo "building the extension for macOS"
	@rustup --quiet target add aarch64-apple-darwin
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-macos.lock
	@PATH="$(CURDIR)/$(BIN):$$PATH" maturin build --quiet --release --locked --zig --target aarch64-apple-darwin --out target/wheels
	@ls target/wheels/awgproxy-*-macosx_*_arm64.whl

.PHONY: fuzz
fuzz: tools ## hostile input to every parser and machine, T seconds for each target (T=60; TARGETS="tunnel segments")
	@command -v cargo-fuzz >/dev/null || cargo install --quiet --locked cargo-fuzz
	@command -v c++ >/dev/null || { echo "a C++ compiler is missing: install build-essential (Debian) or the Xcode command line tools (macOS)" >&2; exit 1; }
	@echo "building the targets (some minutes the first time)"
	@$(FUZZ) build $(FUZZ_OPTIONS)
	@for target in $(TARGETS); do \
		echo "$$target: $(T) seconds" && mkdir -p fuzz/corpus/$$target && \
		$(FUZZ) run $(FUZZ_OPTIONS) $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
			-max_total_time=$(T) -timeout=10 -max_len=2048 -rss_limit_mb=1024 -print_final_stats=1; \
	done

.PHONY: compatibility
compatibility: tools ## write docs/compatibility.md anew, by playing every behaviour to the reference and to ours
	@UPDATE=1 cargo test --quiet --package awg-parity --test behaviours

.PHONY: lock
lock: ## renew the locks of Python packages
	@$(BIN)/pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --extra dev --output-file requirements.lock pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --extra scorecard --constraint requirements.lock --output-file requirements-scorecard.lock pyproject.toml
	@echo ziglang | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--output-file requirements-macos.lock -

.PHONY: clean
clean: ## remove everything that was built
	rm -rf $(VENV) target interop/bin bench/results build dist src/awgproxy/_native*.so
	rm -rf fuzz/corpus fuzz/artifacts fuzz/target
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: tools
tools:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is missing: install it from your system's packages or python.org" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv is missing: install python3-venv (Debian), or Python from python.org" >&2; exit 1; }
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust $(RUST) or newer with rustup (rustup.rs)" >&2; exit 1; }
	@have=$$(cargo --version | cut -d' ' -f2); test "$$(printf '%s\n' $(RUST) "$$have" | sort -V | head -n1)" = $(RUST) || \
		{ echo "cargo $$have is too old: install Rust $(RUST) or newer with rustup (rustup.rs)" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "a C compiler is missing: install build-essential (Debian) or the Xcode command line tools (macOS)" >&2; exit 1; }

.PHONY: system-packages
system-packages: ## Debian packages that the tests use (root)
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq build-essential ca-certificates curl bind9-dnsutils iproute2 \
		iperf3 iputils-ping libndpi-bin nftables pkg-config procps python3-venv tcpdump tshark valgrind wireguard-tools >/dev/null
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell git ncat \
		openssh-client openssh-server proxychains4 >/dev/null

$(VENV)/.installed: requirements.lock | tools
	@echo "installing Python packages into $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.scorecard: requirements-scorecard.lock | $(VENV)/.installed
	@echo "installing nfstream and matplotlib into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-scorecard.lock
	@touch $@

$(VENV)/.extension: $(VENV)/.installed $(EXTENSION_SOURCES)
	@echo "building the release extension (two or three minutes the first time)"
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) PIP_QUIET=2 $(BIN)/maturin develop --release --quiet --locked
	@touch $@
