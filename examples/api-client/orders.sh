#!/usr/bin/env bash
# Prints the newest orders that a key may see. API_KEY is in the environment: never in the source, nor in the arguments
# of a process, which every user of the machine can read. curl waits itself where the key's limit is used up.
set -euo pipefail
: "${API_KEY:?is not set}"

# Into a file, which each attempt begins anew: on standard output the refusals would stand before the answer.
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
