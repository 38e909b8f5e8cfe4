// The programs `token` and `session` sign in with EMAIL and PASSWORD from the environment, and sign out at the end.
package main

import (
	"context"
	"log"
	"os"
)

// programs by name. Each file of a program adds its own.
var programs = map[string]func(ctx context.Context, url string, proof map[string]string) error{}

func main() {
	log.SetFlags(0)
	url := os.Getenv("API_URL")
	if url == "" {
		url = "http://localhost:3000"
	}
	proof := map[string]string{"email": os.Getenv("EMAIL"), "password": os.Getenv("PASSWORD")}
	if len(os.Args) != 2 || programs[os.Args[1]] == nil {
		log.Fatal("name a program")
	}
	if err := programs[os.Args[1]](context.Background(), url, proof); err != nil {
		log.Fatal(err)
	}
}
