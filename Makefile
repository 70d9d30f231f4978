# Thin targets over dev/; each installs what it needs. `make help` says what there is.

BUILD ?= release
ARGS ?=
FUZZ_SECONDS ?= 20
ROUNDS ?= 20

.DEFAULT_GOAL := help
.PHONY: help run build test lint format nightly bench kill-test power-cut-test fuzz clean

help:  ## say what each target does
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

run:  ## build and start the server (BUILD=debug|release, ARGS="..." are handed to it)
	@dev/setup build
	swift build --configuration $(BUILD) --product switchboard
	exec .build/$(BUILD)/switchboard $(ARGS)

build:  ## build everything, tests included (debug)
	@dev/setup build
	swift build --build-tests

test:  ## all that a commit must pass: gates, build, Swift tests, real clients
	@dev/setup test
	@dev/test

lint:  ## the gates alone: format, imports, words, decoders, locks, sizes, secrets, versions
	@dev/test --only 'gate check'

format:  ## format all Swift in place
	@dev/format

nightly:  ## the long tests: everything above, more kills and power cuts, 10 minutes of fuzzing each
	@dev/setup test
	@dev/nightly

bench:  ## build for release and measure (ARGS="..." are handed to `switchboard bench`)
	@dev/setup build
	@dev/bench $(ARGS)

kill-test:  ## kill -9 under load, ROUNDS times; nothing acknowledged may be lost
	@dev/setup test
	@dev/durability-test kill $(ROUNDS)

power-cut-test:  ## forget unsynced writes under load, ROUNDS times; nothing acknowledged may be lost
	@dev/setup test
	@dev/durability-test power_cut $(ROUNDS)

fuzz:  ## fuzz each decoder for FUZZ_SECONDS
	@dev/setup test
	@dev/fuzz --seconds $(FUZZ_SECONDS)

clean:  ## remove all that was built
	rm -rf .build .build-*
