"""Prints the orders that a key can read. The key comes from the environment variable API_KEY."""

import os
import sys

import requests
from requests.adapters import HTTPAdapter, Retry

api_url = os.environ.get("API_URL", "http://localhost:3000")
if not os.environ.get("API_KEY"):
    sys.exit("API_KEY is not set")

session = requests.Session()
session.headers["X-API-Key"] = os.environ["API_KEY"]
# After 429 and 503, wait as long as Retry-After says and try again.
retry = Retry(total=4, status_forcelist=[429, 503], allowed_methods=None, backoff_factor=1)
session.mount(api_url, HTTPAdapter(max_retries=retry))

cursor = ""
while cursor is not None:
    params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
    # No redirects, because requests would send the key to the new location.
    response = session.get(f"{api_url}/v1/orders", params=params, allow_redirects=False, timeout=10)
    if response.status_code != 200:
        sys.exit(f"{response.status_code} {response.text}")
    page = response.json()
    for order in page["items"]:
        print(f"{order['quantity']} x {order['item']}")
    cursor = page["nextCursor"]
