#!/usr/bin/env bash
# tools/keep/try.sh [--tests] NAME…: runs `npm run keep -- NAME…` in a clone, and shows that what remains compiles and boots, and
# that its documents are true. With --tests, it also runs what `npm run check` runs, and looks for unused code.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
work=$(mktemp -d)
chmod 711 "$work"
failed=0
tests=
if [ "${1:-}" = --tests ]; then tests=1 && shift; fi

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

keep() {
  npm run --silent keep -- "$@" | tee "$work/keep.log"
  [ "${PIPESTATUS[0]}" -eq 0 ] && ! grep -A 100 '^These lines still name' "$work/keep.log"
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

# Without the embedded PostgreSQL, nothing here starts unless DATABASE_URL names one.
needs_database() {
  ! npm run --silent routes 2>"$work/error.log" && grep 'DATABASE_URL: is missing' "$work/error.log"
}

required_in_production() {
  NODE_ENV=production node dist/src/main.js 2>&1 | sed -n 's/^ *\([A-Z_]*\): is required in production$/\1/p' | sort | xargs
}

git clone -q "$root" "$work/clone" && cd "$work/clone" && cp -al "$root/node_modules" node_modules || exit 1
step keep keep "$@"
step types npm run types
if [ -d tools/dev-postgres ] || [ -n "${DATABASE_URL:-}" ]; then
  if [ -d test/template ]; then step documents npm test -- test/template/docs; fi
  step routes npm run routes
  step boot boot
  if [ -n "$tests" ]; then
    step format npm run format:check
    step lint npm run lint
    step 'nothing unused' npm run unused
    step tests npm test
  fi
else
  step 'a start without a database' needs_database
fi
echo "production requires: $(required_in_production)"
echo "src: $(find src -name '*.ts' -exec cat {} + | wc -l) lines, $(find src -name '*.ts' | wc -l) files for: $*"
exit $failed
