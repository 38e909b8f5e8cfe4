#!/usr/bin/env bash
# tools/keep/try.sh NAME…: runs `npm run keep -- NAME…` in a clone, and shows that what remains compiles, lints and boots.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
work=$(mktemp -d)
chmod 711 "$work"
failed=0

finish() {
  if [ -n "${server:-}" ]; then kill -TERM "$server" 2>/dev/null && wait "$server"; fi
  if [ -f "$work/clone/.data/postgres.location" ]; then rm -rf "$(cat "$work/clone/.data/postgres.location")"; fi
  rm -rf "$work"
}
trap finish EXIT

# step NAME COMMAND...
step() {
  local name=$1
  shift
  if "$@" >"$work/step.log" 2>&1; then
    echo "passed: $name"
  else
    failed=1
    echo "FAILED: $name"
    tail -n 60 "$work/step.log"
  fi
}

boot() {
  PORT=0 node scripts/run.mjs src/main.js >"$work/server.log" 2>&1 &
  server=$!
  for _ in $(seq 1200); do
    grep -q 'listens at' "$work/server.log" && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  cat "$work/server.log"
  curl -fsS "$(grep -oE 'http://localhost:[0-9]+' "$work/server.log" | head -n 1)/health/ready"
}

git clone -q "$root" "$work/clone" && cd "$work/clone" && cp -al "$root/node_modules" node_modules || exit 1
npm run --silent keep -- "$@" || exit 1
step types npm run types
step lint npm run lint
step format npm run format:check
step 'nothing unused' npm run unused
step links npm test -- docs.spec
step routes npm run routes
step boot boot
echo "src: $(find src -name '*.ts' -exec cat {} + | wc -l) lines, $(find src -name '*.ts' | wc -l) files for: $*"
exit $failed
