# `make run` and `make test` do all the set-up they need on a Debian machine
# with Go and Node.

GO      ?= go
DEMO    ?= demo
LINT    := $(GO) tool -modfile=tools/go.mod golangci-lint
E2E_NPM := $(dir $(wildcard e2e/*/package.json))

.PHONY: run build test lint unit fuzz packages npm crash bench bench-live clean

run: build ## serve the demo set-up on http://127.0.0.1:8080
	bin/tolmach demo $(DEMO)
	bin/tolmach serve --data $(DEMO)/data --apply $(DEMO)/setup.yaml --egress-allow 127.0.0.0/8

build: ## bin/tolmach
	$(GO) build -trimpath -o bin/tolmach ./cmd/tolmach

test: packages npm lint build unit fuzz ## everything, as continuous integration runs it

lint:
	$(GO) vet ./...
	$(LINT) run ./...

unit: ## every Go test, the built binary's included, with the race detector
	scripts/services.sh $(GO) test -race -timeout 15m ./...

fuzz: ## every fuzz target for some seconds
	scripts/fuzz.sh

crash: ROUNDS = 100
crash: PGROUNDS = 30
crash: CUTS = 200
crash: ## ROUNDS rounds of load, kill -9 and audit on SQLite, PGROUNDS on PostgreSQL; CUTS power cuts
	$(GO) test ./e2e/crash -run TestCrash -count 1 -v -timeout 2h -rounds $(ROUNDS) -pgrounds $(PGROUNDS)
	$(GO) test ./internal/store/sqlite -run TestPowerCut -count 1 -v -timeout 1h -cuts $(CUTS)

bench: BENCH = bin
bench: build ## the figures of docs/FIGURES.md on both engines, in half an hour; BENCH is a directory for them as JSON
	$(GO) run ./bench/accept -tolmach bin/tolmach -json $(BENCH)/accept-sqlite.json
	scripts/services.sh $(GO) run ./bench/accept -engine postgres -tolmach bin/tolmach -json $(BENCH)/accept-postgres.json
	$(GO) run ./bench/depth -json $(BENCH)/depth-sqlite.json
	scripts/services.sh $(GO) run ./bench/depth -engine postgres -json $(BENCH)/depth-postgres.json
	$(GO) run ./bench/chat -tolmach bin/tolmach

bench-live: ## memory, fan-out and reconnects of the two live protocols
	$(GO) run ./bench/live-centrifuge
	$(GO) run ./bench/live-socketio

packages: ## Debian's client of Socket.IO, in Python
	scripts/packages.sh python3-socketio python3-websocket python3-requests

npm: ## what the tests with foreign clients need
	@for dir in $(E2E_NPM); do (cd $$dir && npm ci --no-audit --no-fund --loglevel=error) || exit 1; done

clean:
	rm -rf bin $(DEMO)
