"""Signs in with a session cookie, changes the name of the person to NAME, and signs out.

EMAIL and PASSWORD come from the environment.
"""

import os
from urllib.parse import urlsplit

import requests

from retry import IDEMPOTENT, with_retry

SAFE = {"GET", "HEAD", "OPTIONS"}
TIMEOUT = 10


class SessionClient:
    """Calls the API with a session cookie, which the cookie jar keeps, and its CSRF token."""

    def __init__(self, url):
        self._url = url
        self._session = requests.Session()
        self._is_local = urlsplit(url).hostname == "localhost"
        self._csrf_token = None

    def sign_in(self, **proof):
        response = with_retry(lambda: self._send("POST", "/v1/sessions", json=proof), repeatable=True)
        response.raise_for_status()
        self._csrf_token = response.json()["csrfToken"]

    def request(self, method, path, headers=None, **options):
        headers = dict(headers or {})
        if method not in SAFE:
            headers["X-CSRF-Token"] = self._csrf_token
        send = lambda: self._send(method, path, headers=headers, **options)
        return with_retry(send, repeatable=method in IDEMPOTENT)

    def sign_out(self):
        self.request("DELETE", "/v1/sessions/current").raise_for_status()
        self._csrf_token = None

    def _send(self, method, path, **options):
        if not path.startswith("/"):
            raise ValueError("the path must begin with /")
        options = {"timeout": TIMEOUT, "allow_redirects": False, **options}
        response = self._session.request(method, self._url + path, **options)
        if self._is_local:
            # For development: the jar sends no Secure cookie over http, also not to localhost.
            for cookie in self._session.cookies:
                cookie.secure = False
        return response



if __name__ == "__main__":
    client = SessionClient(os.environ.get("API_URL", "http://localhost:3000"))
    client.sign_in(email=os.environ["EMAIL"], password=os.environ["PASSWORD"])
    answer = client.request("PATCH", "/v1/users/me", json={"name": os.environ["NAME"]})
    answer.raise_for_status()
    print(answer.json()["name"])
    client.sign_out()
    print(client.request("GET", "/v1/users/me").status_code)
