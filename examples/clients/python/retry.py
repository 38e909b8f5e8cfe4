"""Repeats requests after 429 and 503, as Retry-After says."""

import random
import time
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

ATTEMPTS = 4
# If the server asks for a longer wait, the caller gets the answer and decides.
LONGEST_WAIT = 30.0
# Parallel clients must not all come back at the same moment.
JITTER = 1.0
# A 503 can arrive after the server has executed a request. Only these methods do the same twice (RFC 9110 9.2.2).
IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}


def with_retry(send, repeatable):
    """Calls send until its answer is neither 429 nor, if it is repeatable, 503. Returns the last answer."""
    for attempt in range(1, ATTEMPTS + 1):
        response = send()
        refused = response.status_code == 429 or (response.status_code == 503 and repeatable)
        wait = wait_of(response.headers.get("Retry-After"), attempt)
        if not refused or attempt == ATTEMPTS or wait > LONGEST_WAIT:
            break
        time.sleep(wait + random.random() * JITTER)
    return response


def wait_of(retry_after, attempt):
    """Retry-After has seconds or a date (RFC 9110 10.2.3). Without it, each wait is twice as long as the one before."""
    try:
        return float(int(retry_after))
    except (TypeError, ValueError):
        pass
    try:
        date = parsedate_to_datetime(retry_after)
        return max(0.0, (date - datetime.now(timezone.utc)).total_seconds())
    except (TypeError, ValueError):
        return 0.5 * 2**attempt
