package client

import "net/http"

// ExampleServer answers the examples of the OpenAPI document.
func ExampleServer() http.Handler {
	c, err := readContract()
	if err != nil {
		panic(err)
	}
	return c
}
