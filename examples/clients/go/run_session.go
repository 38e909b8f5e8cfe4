package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
)

func init() { programs["session"] = runSession }

// runSession changes the name of the person to NAME.
func runSession(ctx context.Context, url string, proof map[string]string) error {
	client, err := newSessionClient(url)
	if err != nil {
		return err
	}
	if err := client.signIn(ctx, proof); err != nil {
		return err
	}
	body, _ := json.Marshal(map[string]string{"name": os.Getenv("NAME")})
	response, err := client.request(ctx, "PATCH", "/v1/users/me", body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var user struct{ Name string }
	if err := json.NewDecoder(response.Body).Decode(&user); err != nil {
		return err
	}
	fmt.Println(user.Name)
	if err := client.signOut(ctx); err != nil {
		return err
	}
	response, err = client.request(ctx, "GET", "/v1/users/me", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	fmt.Println(response.StatusCode)
	return nil
}
