package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
)

func init() { programs["token"] = runToken }

// runToken requests the paths that it reads from standard input, all paths of a line at the same time.
func runToken(ctx context.Context, url string, proof map[string]string) error {
	client := &tokenClient{url: url}
	if err := client.signIn(ctx, proof); err != nil {
		return err
	}
	fmt.Println("signed in")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		paths := strings.Fields(lines.Text())
		results, errs := make([]string, len(paths)), make([]error, len(paths))
		var group sync.WaitGroup
		for i, path := range paths {
			group.Add(1)
			go func(i int, path string) {
				defer group.Done()
				results[i], errs[i] = statusOf(ctx, client, path)
			}(i, path)
		}
		group.Wait()
		for i := range paths {
			if errs[i] != nil {
				return errs[i]
			}
			fmt.Println(results[i], paths[i])
		}
	}
	if err := client.signOut(ctx); err != nil {
		return err
	}
	fmt.Println("signed out")
	return nil
}

func statusOf(ctx context.Context, client *tokenClient, path string) (string, error) {
	response, err := client.request(ctx, "GET", path, nil)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	return fmt.Sprint(response.StatusCode), nil
}
