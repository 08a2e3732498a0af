# Everything a contributor runs. `make` alone lists the targets.

GO ?= go

# The lowest Go that may build this, as go.mod has it.
NEEDS_GO := $(shell sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' go.mod)

# The linters' version is that of tools/go.mod; see docs/adr/0005-tools-module.md.
GOLANGCI_LINT := CGO_ENABLED=0 $(GO) tool -modfile=tools/go.mod golangci-lint

BENCH     ?= .
BENCHTIME ?= 3x
FUZZTIME  ?= 20s

# Documents and recorded answers that are not published with the source, where
# some tests find what to compare with. Without them those tests say so and skip.
WINDLASS_SHARED ?= $(abspath $(wildcard ../shared))
export WINDLASS_SHARED

.DEFAULT_GOAL := help
.PHONY: help demo test lint fix bench fuzz build clean go compiler

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: build ## start the sandbox, then read, describe and write against it
	bin/windlass demo

test: go compiler ## vet, then every test under the race detector, on SQLite and on a PostgreSQL of its own
	$(GO) vet ./...
	CGO_ENABLED=1 $(GO) run ./internal/pgtemp/withpostgres $(GO) test -race -timeout 20m ./...

lint: go ## golangci-lint with .golangci.yaml (the first run builds it: minutes)
	$(GOLANGCI_LINT) run --allow-parallel-runners ./...

fix: go ## format, and let the linters mend what they can
	$(GOLANGCI_LINT) run --fix ./...

bench: go ## every benchmark, with the ratios it reports (BENCH=regexp BENCHTIME=3x)
	@packages=$$(grep -rl --include='*_test.go' '^func Benchmark' . | xargs -r -n 1 dirname | sort -u); \
	if [ -z "$$packages" ]; then echo 'bench: no package has a benchmark yet' >&2; exit 1; fi; \
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime '$(BENCHTIME)' -benchmem $$packages

fuzz: go ## each fuzz target in turn (FUZZTIME=20s)
	@targets=$$(grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's|/[^/]*_test\.go:func |:|' | sort -u); \
	if [ -z "$$targets" ]; then echo 'fuzz: no package has a fuzz target yet' >&2; exit 1; fi; \
	for target in $$targets; do \
		echo "fuzz: $${target##*:} in $${target%%:*}"; \
		$(GO) test -run '^$$' -fuzz "^$${target##*:}\$$" -fuzztime '$(FUZZTIME)' -fuzzminimizetime 10x "$${target%%:*}" || exit 1; \
	done

# The revision is stamped into the binary where git can tell it: not in a
# tarball, nor in a clone that belongs to another user.
build: go ## bin/windlass, static, without what only a debugger needs
	@if git rev-parse HEAD >/dev/null 2>&1; then stamp=true; else stamp=false; fi; set -x; \
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -buildvcs=$$stamp -o bin/windlass ./cmd/windlass

clean: ## remove what the other targets made
	rm -rf bin dist .cache

# What the targets above stand on. Each says in one line what is missing.

go:
	@command -v $(GO) >/dev/null 2>&1 || { \
		echo 'windlass: Go is not installed (or not in PATH): version $(NEEDS_GO) or newer is needed, see https://go.dev/doc/install' >&2; exit 1; }
	@have=$$($(GO) env GOVERSION | sed 's/^.*go\([0-9]*\.[0-9]*\).*/\1/'); \
	[ "$${have%%.*}" -gt 1 ] || [ "$${have#*.}" -ge '$(word 2,$(subst ., ,$(NEEDS_GO)))' ] || { \
		echo "windlass: Go $$have is too old: version $(NEEDS_GO) or newer is needed, see https://go.dev/doc/install" >&2; exit 1; }

# The race detector is C: it needs a compiler and the C library's headers.
compiler: go
	@cc=$$($(GO) env CC); \
	works() { echo '#include <stdlib.h>' | $$cc -x c -fsyntax-only - >/dev/null 2>&1; }; \
	works && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "make test: the race detector needs a C compiler; installing gcc and libc6-dev"; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc libc6-dev; } \
			</dev/null >/dev/null && works && exit 0; \
	fi; \
	echo "make test: the race detector needs a C compiler and the C library's headers ('$$cc' does not work): install gcc and libc6-dev" >&2; \
	exit 1
