#!/usr/bin/env bash
# 从空克隆、空模块缓存执行 make run，到页面可用的时间。需要能访问 Go 和 npm 的软件包源。
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
addr=127.0.0.1:${PORT:-18399}
stop() {
  pid=$(cat "$dir/pid" 2>/dev/null || true)
  [ -z "$pid" ] || kill -- "-$pid" 2>/dev/null || true
  chmod -R u+w "$dir" 2>/dev/null || true
  rm -rf "$dir"
}
trap stop EXIT
git clone -q "$root" "$dir/hotline"
from=$(date +%s.%N)
since() { awk -v a="$from" -v b="$(date +%s.%N)" 'BEGIN{printf "%.1f", b-a}'; }
cd "$dir/hotline"
GOMODCACHE="$dir/mod" GOCACHE="$dir/cache" npm_config_cache="$dir/npm" ADDR=$addr setsid make run >"$dir/log" 2>&1 &
echo $! >"$dir/pid"
served=
for _ in $(seq 1 1800); do
  if [ -z "$served" ] && curl -s -o /dev/null "http://$addr/"; then
    served=$(since)
  fi
  if curl -fs -o /dev/null "http://$addr/readyz"; then
    echo "make run（空克隆、空缓存）：${served} 秒有页面，$(since) 秒全部就绪"
    exit 0
  fi
  kill -0 "$(cat "$dir/pid")" 2>/dev/null || { tail -20 "$dir/log"; echo "make run 没有成功"; exit 1; }
  sleep 0.5
done
tail -20 "$dir/log"
echo "15分钟内没有就绪"
exit 1
