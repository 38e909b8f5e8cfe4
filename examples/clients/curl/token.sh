#!/usr/bin/env bash
# token.sh sign-in | get PATH | sign-out: calls the API with tokens. EMAIL and PASSWORD come from the environment. The tokens are
# in TOKEN_FILE, which only its owner can read. Processes that need a new token at the same time share one refresh (flock).
set -euo pipefail
umask 077
API_URL=${API_URL:-http://localhost:3000}
TOKEN_FILE=${TOKEN_FILE:-$HOME/.api-tokens}
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# curl waits as long as Retry-After says.
RETRY=(--retry 3 --retry-max-time 60 --max-time 30)
# Three attempts then start within REFRESH_REUSE_GRACE, which is 10 s by default.
RETRY_LOST=(--retry 2 --retry-all-errors --max-time 3)

# call OPTION…: writes the body into the file `answer` and prints the status. Secrets are in standard input or in a file
# descriptor, because every user of the machine can read arguments.
call() { curl --silent --show-error --output "$answer" --write-out '%{http_code}' "$@"; }
json() { printf '"%s"' "$(sed 's/[\\"]/\\&/g' <<<"$1")"; }
field() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" "$2"; }
fail() { echo "$1" >&2 && exit 1; }

# save STARTED_AT: replaces the tokens in one step, before anything uses them.
save() {
  local lifetime earlier
  lifetime=$(field expires_in "$answer")
  earlier=$((lifetime / 2 < 30 ? lifetime / 2 : 30))
  printf '{"refresh_at":%s}\n' $(($1 + lifetime - earlier)) | cat - "$answer" >"$TOKEN_FILE.new"
  mv "$TOKEN_FILE.new" "$TOKEN_FILE"
}

sign_in() {
  local started_at status
  : "${EMAIL:?is not set}" "${PASSWORD:?is not set}"
  started_at=$(date +%s)
  status=$(printf '{"email":%s,"password":%s}' "$(json "$EMAIL")" "$(json "$PASSWORD")" |
    call "${RETRY[@]}" -H 'Content-Type: application/json' --data @- "$API_URL/v1/tokens")
  [ "$status" = 201 ] || fail "$status $(cat "$answer")"
  save "$started_at"
}

# If the answer is lost, curl sends the same token again. Within REFRESH_REUSE_GRACE, it gets the same successor.
refresh() {
  local started_at status
  started_at=$(date +%s)
  status=$(printf '{"refreshToken":"%s"}' "$(field refresh_token "$TOKEN_FILE")" |
    call "${RETRY_LOST[@]}" -H 'Content-Type: application/json' --data @- "$API_URL/v1/tokens/refresh")
  case $status in
    200) save "$started_at" ;;
    401) rm -f "$TOKEN_FILE" && fail 'The sign-in has ended. Sign in again.' ;;
    *) fail "$status $(cat "$answer")" ;;
  esac
}

# access_token [REFUSED]: prints a token that still works, and not the refused one. The first process refreshes. The others wait
# for the lock, and then find the new token.
access_token() {
  (
    flock 9
    [ -s "$TOKEN_FILE" ] || fail 'The sign-in has ended. Sign in again.'
    if [ "$(field access_token "$TOKEN_FILE")" = "${1:-}" ] ||
      [ "$(date +%s)" -ge "$(field refresh_at "$TOKEN_FILE")" ]; then refresh; fi
    field access_token "$TOKEN_FILE"
  ) 9>"$TOKEN_FILE.lock"
}

# request METHOD PATH: prints the status.
request() {
  local token status
  token=$(access_token) || return
  status=$(send "$1" "$2" "$token")
  # Other 401 answers ask for a recent sign-in or a second factor, which no refresh brings (RFC 9470).
  if [ "$status" = 401 ] && grep -q '/problems/invalid-credential"' "$answer"; then
    token=$(access_token "$token") || return
    status=$(send "$1" "$2" "$token")
  fi
  echo "$status"
}
send() { call "${RETRY[@]}" -X "$1" -H @<(printf 'Authorization: Bearer %s\n' "$3") "$API_URL$2"; }

case ${1:-} in
  sign-in) sign_in ;;
  get)
    [[ ${2:-} == /* ]] || fail 'the path must begin with /'
    status=$(request GET "$2")
    [ "$status" = 200 ] || fail "$status $(cat "$answer")"
    cat "$answer"
    ;;
  sign-out)
    status=$(request DELETE /v1/sessions/current)
    [ "$status" = 204 ] || fail "$status $(cat "$answer")"
    rm -f "$TOKEN_FILE"
    ;;
  *) fail 'usage: token.sh sign-in | get PATH | sign-out' ;;
esac
