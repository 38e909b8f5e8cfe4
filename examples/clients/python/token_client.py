"""Signs in, requests the paths that it reads from standard input, and signs out at the end of the input.

The paths of one line are requested at the same time. EMAIL and PASSWORD come from the environment.
"""

import os
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from retry import IDEMPOTENT, with_retry

REFRESH_EARLIER = 30
# Three attempts then start within REFRESH_REUSE_GRACE, which is 10 s by default.
REFRESH_TIMEOUT = 3
TIMEOUT = 10


class SignedOut(Exception):
    """The sign-in has ended. The person must sign in again."""


class TokenClient:
    """Calls the API with tokens of one person. Its threads share one refresh. The tokens are in memory only."""

    def __init__(self, url):
        self._url = url
        self._lock = threading.Lock()
        self._pair = None
        self._refresh_at = 0.0

    def sign_in(self, **proof):
        started_at = time.time()
        response = with_retry(lambda: self._send("POST", "/v1/tokens", json=proof), repeatable=True)
        response.raise_for_status()
        with self._lock:
            self._take(response.json(), started_at)

    def request(self, method, path, **options):
        """Like requests.request, for a path of the API."""
        token = self._token()
        response = self._send_with(token, method, path, options)
        # Other 401 answers ask for a recent sign-in or a second factor, which no refresh brings (RFC 9470).
        challenge = response.headers.get("WWW-Authenticate", "")
        if response.status_code == 401 and 'error="invalid_token"' in challenge:
            response = self._send_with(self._token(refused=token), method, path, options)
        return response

    def sign_out(self):
        """Ends the sign-in on the server. If this fails, the person is still signed in."""
        response = self.request("DELETE", "/v1/sessions/current")
        if response.status_code != 401:
            response.raise_for_status()
        self._pair = None

    def _token(self, refused=None):
        """An access token that still works, and not the refused one."""
        # The first thread refreshes. The others wait for the lock, and then find the new token.
        with self._lock:
            if self._pair is None:
                raise SignedOut
            if self._pair["access_token"] == refused or time.time() >= self._refresh_at:
                self._refresh()
            return self._pair["access_token"]

    def _refresh(self):
        started_at = time.time()
        response = with_retry(self._ask_for_pair, repeatable=True)
        if response.status_code == 401:
            self._pair = None
            raise SignedOut
        response.raise_for_status()
        self._take(response.json(), started_at)

    def _ask_for_pair(self):
        """If the answer is lost, the same token is sent again. Within REFRESH_REUSE_GRACE, it gets the same successor."""
        body = {"refreshToken": self._pair["refresh_token"]}
        for left in (2, 1, 0):
            try:
                return self._send("POST", "/v1/tokens/refresh", json=body, timeout=REFRESH_TIMEOUT)
            except requests.RequestException:
                if left == 0:
                    raise
                time.sleep(0.25 + random.random() / 4)

    def _take(self, pair, started_at):
        self._pair = pair
        lifetime = pair["expires_in"]
        self._refresh_at = started_at + lifetime - min(REFRESH_EARLIER, lifetime / 2)

    def _send_with(self, token, method, path, options):
        headers = {**options.get("headers", {}), "Authorization": f"Bearer {token}"}
        send = lambda: self._send(method, path, **{**options, "headers": headers})
        return with_retry(send, repeatable=method in IDEMPOTENT)

    def _send(self, method, path, timeout=TIMEOUT, **options):
        if not path.startswith("/"):
            raise ValueError("the path must begin with /")
        # No redirects, because a request with a password or token must not go to another host.
        return requests.request(method, self._url + path, timeout=timeout, allow_redirects=False, **options)


def main():
    client = TokenClient(os.environ.get("API_URL", "http://localhost:3000"))
    client.sign_in(email=os.environ["EMAIL"], password=os.environ["PASSWORD"])
    print("signed in", flush=True)
    with ThreadPoolExecutor(max_workers=50) as pool:
        for line in sys.stdin:
            paths = line.split()
            statuses = pool.map(lambda path: client.request("GET", path).status_code, paths)
            for status, path in zip(statuses, paths):
                print(status, path, flush=True)
    client.sign_out()
    print("signed out")


if __name__ == "__main__":
    try:
        main()
    except SignedOut:
        sys.exit("The sign-in has ended. Sign in again.")
