// Prints the orders that a key can read. The key comes from the environment variable API_KEY.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net/http"
	"os"
	"strconv"
	"time"
)

type page struct {
	Items []struct {
		Item     string
		Quantity int
	}
	NextCursor *string
}

var client = http.Client{
	Timeout: 10 * time.Second,
	// No redirects, because net/http would send the key to the new location.
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// get calls the API. After 429 and 503, it waits as long as Retry-After says and tries again.
func get(url, key string, attempts int) (*page, error) {
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("X-API-Key", key)
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if (response.StatusCode == 429 || response.StatusCode == 503) && attempts > 1 {
		seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
		if err != nil {
			seconds = 1
		}
		// Up to a second more, so that parallel clients do not come back at the same moment.
		jitter := rand.New(rand.NewSource(time.Now().UnixNano())).Int63n(int64(time.Second))
		time.Sleep(time.Duration(seconds)*time.Second + time.Duration(jitter))
		return get(url, key, attempts-1)
	}
	if response.StatusCode != 200 {
		body, _ := io.ReadAll(response.Body)
		return nil, fmt.Errorf("%d %s", response.StatusCode, body)
	}
	var found page
	return &found, json.NewDecoder(response.Body).Decode(&found)
}

func main() {
	log.SetFlags(0)
	key, url := os.Getenv("API_KEY"), os.Getenv("API_URL")
	if key == "" {
		log.Fatal("API_KEY is not set")
	}
	if url == "" {
		url = "http://localhost:3000"
	}
	for next := url + "/v1/orders?limit=2"; next != ""; {
		found, err := get(next, key, 5)
		if err != nil {
			log.Fatal(err)
		}
		for _, order := range found.Items {
			fmt.Printf("%d x %s\n", order.Quantity, order.Item)
		}
		next = ""
		if found.NextCursor != nil {
			next = url + "/v1/orders?limit=2&cursor=" + *found.NextCursor
		}
	}
}
