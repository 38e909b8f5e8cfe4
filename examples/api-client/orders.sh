#!/usr/bin/env bash
# Prints the newest orders that a key can read. The key comes from the environment variable API_KEY. It is not an argument
# of curl, because every user of the machine can read arguments. After 429 and 503, curl waits and tries again.
set -euo pipefail
: "${API_KEY:?is not set}"

# Each attempt overwrites the file. Standard output would also contain the refusals of earlier attempts.
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

status=$(curl --silent --show-error --retry 4 --max-time 60 --output "$answer" --write-out '%{http_code}' \
  --header @<(printf 'X-API-Key: %s\n' "$API_KEY") \
  "${API_URL:-http://localhost:3000}/v1/orders?limit=100")
if [ "$status" != 200 ]; then
  echo "$status $(cat "$answer")" >&2
  exit 1
fi
cat "$answer"
