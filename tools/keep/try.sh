#!/usr/bin/env bash
# tools/keep/try.sh NAME… : cuts a clone of this project to the named rooms, and shows that the rest compiles, lints and boots.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
work=$(mktemp -d)
chmod 711 "$work"
finish() {
  if [ -n "${server:-}" ]; then kill -TERM "$server" 2>/dev/null && wait "$server" || true; fi
  if [ -f "$work/clone/.data/postgres.location" ]; then rm -rf "$(cat "$work/clone/.data/postgres.location")"; fi
  rm -rf "$work"
}
trap finish EXIT

git clone -q "$root" "$work/clone"
cd "$work/clone"
git config user.email keep@example.com
git config user.name keep
cp -al "$root/node_modules" node_modules
npm run --silent keep -- "$@"
npm run --silent types
npm run --silent lint
npm run --silent format:check >/dev/null
npm run --silent unused
npm run --silent routes
PORT=0 node scripts/run.mjs src/main.js >server.log 2>&1 &
server=$!
for _ in $(seq 600); do
  grep -q 'listens at' server.log && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
url=$(grep -oE 'http://localhost:[0-9]+' server.log | head -n 1) || { cat server.log && exit 1; }
curl -fsS "$url/health/ready" >/dev/null
echo "src: $(find src -name '*.ts' -exec cat {} + | wc -l) lines for: $*"
