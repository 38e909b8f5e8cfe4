package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// localJar is for development: net/http/cookiejar sends no Secure cookie over http, also not to localhost.
type localJar struct{ http.CookieJar }

func (j localJar) Cookies(u *url.URL) []*http.Cookie {
	secure := *u
	if u.Hostname() == "localhost" {
		secure.Scheme = "https"
	}
	return j.CookieJar.Cookies(&secure)
}

// sessionClient calls the API with a session cookie, which the cookie jar keeps, and its CSRF token.
type sessionClient struct {
	url       string
	http      http.Client
	csrfToken string
}

func newSessionClient(url string) (*sessionClient, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	noRedirects := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client := http.Client{Jar: localJar{jar}, Timeout: 10 * time.Second, CheckRedirect: noRedirects}
	return &sessionClient{url: url, http: client}, nil
}

func (c *sessionClient) signIn(ctx context.Context, proof map[string]string) error {
	body, _ := json.Marshal(proof)
	response, err := withRetry(ctx, true, func() (*http.Response, error) {
		return c.send(ctx, "POST", "/v1/sessions", body)
	})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != 201 {
		return errors.New(response.Status)
	}
	var answer struct{ CsrfToken string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	c.csrfToken = answer.CsrfToken
	return nil
}

// request sends a request with a path of the API. The caller closes the body of the answer.
func (c *sessionClient) request(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	return withRetry(ctx, isIdempotent(method), func() (*http.Response, error) {
		return c.send(ctx, method, path, body)
	})
}

func (c *sessionClient) signOut(ctx context.Context) error {
	response, err := c.request(ctx, "DELETE", "/v1/sessions/current", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != 204 {
		return errors.New(response.Status)
	}
	c.csrfToken = ""
	return nil
}

func (c *sessionClient) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, errors.New("the path must begin with /")
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.csrfToken != "" && method != "GET" && method != "HEAD" && method != "OPTIONS" {
		request.Header.Set("X-CSRF-Token", c.csrfToken)
	}
	return c.http.Do(request)
}
