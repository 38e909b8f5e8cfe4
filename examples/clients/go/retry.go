package main

import (
	"context"
	"errors"
	"math/rand"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	attempts = 4
	// If the server asks for a longer wait, the caller gets the answer and decides.
	longestWait = 30 * time.Second
	// Parallel clients must not all come back at the same moment.
	jitter = time.Second
)

var errPath = errors.New("the path must begin with /")

// Go before 1.20 gives every program the same random numbers.
func init() { rand.Seed(time.Now().UnixNano()) }

// isIdempotent is needed because a 503 can arrive after the server has executed a request. These methods do the same twice
// (RFC 9110 9.2.2).
func isIdempotent(method string) bool {
	return strings.Contains(" GET HEAD OPTIONS PUT DELETE ", " "+method+" ")
}

// withRetry sends again after 429, and after 503 if the request is repeatable. It returns the last answer.
func withRetry(ctx context.Context, repeatable bool, send func() (*http.Response, error)) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		response, err := send()
		if err != nil {
			return nil, err
		}
		refused := response.StatusCode == 429 || response.StatusCode == 503 && repeatable
		wait := waitOf(response.Header.Get("Retry-After"), attempt)
		if !refused || attempt == attempts || wait > longestWait {
			return response, nil
		}
		response.Body.Close()
		if err := pause(ctx, wait+time.Duration(rand.Int63n(int64(jitter)))); err != nil {
			return nil, err
		}
	}
}

// waitOf reads seconds or a date (RFC 9110 10.2.3). Without Retry-After, each wait is twice as long as the one before.
func waitOf(retryAfter string, attempt int) time.Duration {
	if seconds, err := strconv.Atoi(retryAfter); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(retryAfter); err == nil {
		return time.Until(date)
	}
	return 500 * time.Millisecond << attempt
}

func pause(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
