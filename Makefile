# 12345 政务服务便民热线开放平台
# 常用：make run（构建并启动演示平台） make test（装好测试所需并跑全部检查） make check（快速检查） make bench（性能对比）
GO ?= go
DIST := internal/console/dist/index.html
WEB_SRC := $(shell find web/src web/public web/index.html web/vite.config.ts -type f 2>/dev/null)

.PHONY: build run check test bench bench-voice docs web deps clean

build: $(DIST)
	$(GO) build -o bin/hotline ./cmd/hotline

run: build
	@bin/hotline demo --addr $${ADDR:-127.0.0.1:12345} --data $${DATA:-data/demo}

web: $(DIST)

web/node_modules/.stamp: web/package-lock.json
	@command -v npm >/dev/null || { echo "未找到 Node.js 和 npm，请先安装（Debian：apt-get install nodejs npm，需 Node 20 以上）。"; exit 1; }
	@cd web && npm ci --no-audit --no-fund --prefer-offline || { echo "前端依赖安装失败：请检查网络或软件包源后重试 make run。"; exit 1; }
	@touch $@

$(DIST): web/node_modules/.stamp $(WEB_SRC)
	rm -rf internal/console/dist/assets
	cd web && npx vite build
	@touch $@

# 快速检查：格式、静态检查、Go 测试的短形式（需要本机装有 PostgreSQL，不需要浏览器）
check:
	@test -z "$$(gofmt -l cmd docs internal test 2>/dev/null)" || { echo "以下文件未格式化："; gofmt -l cmd docs internal test; exit 1; }
	$(GO) vet ./...
	$(GO) test -short ./...

# 全部检查；缺少的系统软件由 test/deps.sh 安装
test: deps web
	@test -z "$$(gofmt -l cmd docs internal test 2>/dev/null)" || { echo "以下文件未格式化："; gofmt -l cmd docs internal test; exit 1; }
	$(GO) vet ./...
	$(GO) test -timeout 25m ./...
	cd web && npm run check && npm test
	$(GO) build -o bin/hotline ./cmd/hotline
	bash test/browser/run.sh

deps:
	bash test/deps.sh

# 由代码生成的参考文档（数据字典、流转规则、权限、错误代码、接口、事件）
docs:
	$(GO) run ./docs/gen

# 各项指标、门槛与原始引擎的对比；首次运行先在 data/bench 生成百万件工单（数分钟），以后反复使用
bench: build
	$(GO) run ./test/bench -data data/bench
	STORIES=clicks bash test/browser/run.sh

# 话务测量：每项按交换机进程的 CPU 计
bench-voice: build
	$(GO) run ./test/voice/bench --exchange bin/hotline

clean:
	rm -rf bin data web/node_modules internal/console/dist/assets internal/console/dist/index.html
