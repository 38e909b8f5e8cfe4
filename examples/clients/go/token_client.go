package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	refreshEarlier = 30 * time.Second
	// Three attempts then start within REFRESH_REUSE_GRACE, which is 10 s by default.
	refreshTimeout = 3 * time.Second
)

var errSignedOut = errors.New("the sign-in has ended, sign in again")

var httpClient = &http.Client{
	Timeout: 10 * time.Second,
	// No redirects, because a request with a password or token must not go to another host.
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

type pair struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int    `json:"expires_in"`
}

// tokenClient calls the API with tokens of one person. Its goroutines share one refresh. The tokens are in memory only.
type tokenClient struct {
	url       string
	mutex     sync.Mutex
	pair      *pair
	refreshAt time.Time
}

func (c *tokenClient) signIn(ctx context.Context, proof map[string]string) error {
	startedAt := time.Now()
	body, _ := json.Marshal(proof)
	response, err := withRetry(ctx, true, func() (*http.Response, error) {
		return c.send(ctx, "POST", "/v1/tokens", body, "")
	})
	if err != nil {
		return err
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.take(response, 201, startedAt)
}

// request sends a request with a path of the API. The caller closes the body of the answer.
func (c *tokenClient) request(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	token, err := c.token(ctx, "")
	if err != nil {
		return nil, err
	}
	response, err := c.sendWith(ctx, token, method, path, body)
	if err != nil || !isInvalidToken(response) {
		return response, err
	}
	response.Body.Close()
	if token, err = c.token(ctx, token); err != nil {
		return nil, err
	}
	return c.sendWith(ctx, token, method, path, body)
}

// signOut ends the sign-in on the server. If this fails, the person is still signed in.
func (c *tokenClient) signOut(ctx context.Context) error {
	response, err := c.request(ctx, "DELETE", "/v1/sessions/current", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != 204 && response.StatusCode != 401 {
		return errors.New(response.Status)
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.pair = nil
	return nil
}

// token returns an access token that still works, and not the refused one. The first goroutine refreshes. The others wait for
// the mutex, and then find the new token.
func (c *tokenClient) token(ctx context.Context, refused string) (string, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.pair == nil {
		return "", errSignedOut
	}
	if c.pair.AccessToken == refused || time.Now().After(c.refreshAt) {
		if err := c.refresh(); err != nil {
			return "", err
		}
	}
	return c.pair.AccessToken, ctx.Err()
}

// refresh has no context of a caller, because all of them wait for it.
func (c *tokenClient) refresh() error {
	startedAt := time.Now()
	response, err := withRetry(context.Background(), true, c.askForPair)
	if err != nil {
		return err
	}
	if response.StatusCode == 401 {
		response.Body.Close()
		c.pair = nil
		return errSignedOut
	}
	return c.take(response, 200, startedAt)
}

// askForPair sends the same token again if the answer is lost. Within REFRESH_REUSE_GRACE, it gets the same successor.
func (c *tokenClient) askForPair() (*http.Response, error) {
	body, _ := json.Marshal(map[string]string{"refreshToken": c.pair.RefreshToken})
	for left := 2; ; left-- {
		response, err := c.askOnce(body)
		if err == nil || left == 0 {
			return response, err
		}
		time.Sleep(250*time.Millisecond + time.Duration(rand.Int63n(int64(250*time.Millisecond))))
	}
}

func (c *tokenClient) askOnce(body []byte) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), refreshTimeout)
	defer cancel()
	response, err := c.send(ctx, "POST", "/v1/tokens/refresh", body, "")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	// The end of the body can be lost too.
	text, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(text))
	return response, err
}

func (c *tokenClient) take(response *http.Response, status int, startedAt time.Time) error {
	defer response.Body.Close()
	if response.StatusCode != status {
		text, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s %s", response.Status, text)
	}
	var next pair
	if err := json.NewDecoder(response.Body).Decode(&next); err != nil {
		return err
	}
	earlier := time.Duration(next.ExpiresIn) * time.Second / 2
	if earlier > refreshEarlier {
		earlier = refreshEarlier
	}
	c.pair, c.refreshAt = &next, startedAt.Add(time.Duration(next.ExpiresIn)*time.Second-earlier)
	return nil
}

func (c *tokenClient) sendWith(ctx context.Context, token, method, path string, body []byte) (*http.Response, error) {
	return withRetry(ctx, isIdempotent(method), func() (*http.Response, error) {
		return c.send(ctx, method, path, body, token)
	})
}

func (c *tokenClient) send(ctx context.Context, method, path string, body []byte, token string) (*http.Response, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, errPath
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return httpClient.Do(request)
}

// isInvalidToken tells an expired token from other 401 answers. These ask for a recent sign-in or a second factor, which no
// refresh brings (RFC 9470).
func isInvalidToken(response *http.Response) bool {
	return response.StatusCode == 401 &&
		strings.Contains(response.Header.Get("WWW-Authenticate"), `error="invalid_token"`)
}
