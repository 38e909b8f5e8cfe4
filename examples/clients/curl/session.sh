#!/usr/bin/env bash
# Signs in with a session cookie, changes the name of the person to NAME, and signs out. EMAIL and PASSWORD come from the
# environment. curl keeps the cookie in a file that only its owner can read. It also sends it to http://localhost.
set -euo pipefail
umask 077
: "${EMAIL:?is not set}" "${PASSWORD:?is not set}" "${NAME:?is not set}"
API_URL=${API_URL:-http://localhost:3000}
jar=$(mktemp)
trap 'rm -f "$jar"' EXIT

# Secrets are in standard input or in a file descriptor, because every user of the machine can read arguments. curl waits as long
# as Retry-After says.
call() {
  curl --silent --show-error --fail --retry 3 --retry-max-time 60 --max-time 30 \
    --cookie "$jar" --cookie-jar "$jar" -H 'Content-Type: application/json' "$@"
}
json() { printf '"%s"' "$(sed 's/[\\"]/\\&/g' <<<"$1")"; }
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

csrf_token=$(printf '{"email":%s,"password":%s}' "$(json "$EMAIL")" "$(json "$PASSWORD")" |
  call --data @- "$API_URL/v1/sessions" | field csrfToken)
# Every method except GET, HEAD and OPTIONS needs the token.
csrf() { printf 'X-CSRF-Token: %s\n' "$csrf_token"; }

printf '{"name":%s}' "$(json "$NAME")" |
  call -X PATCH -H @<(csrf) --data @- "$API_URL/v1/users/me"
echo
call -X DELETE -H @<(csrf) "$API_URL/v1/sessions/current"
# The session has ended.
call --output /dev/null --write-out '%{http_code}\n' "$API_URL/v1/users/me" || true
