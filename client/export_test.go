package client

import "net/http"

// ContractServer answers the examples of the OpenAPI document.
func ContractServer() http.Handler {
	c, err := readContract()
	if err != nil {
		panic(err)
	}
	return c
}
