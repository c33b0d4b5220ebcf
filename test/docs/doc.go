// Package docs holds what is written about Crown Safe to what the real program does:
// the examples in the OpenAPI document, the code samples of the API reference, the
// commands in the README and the manuals, and the Go client.
//
// With -update it asks the program and writes internal/api/examples.json anew; make docs
// does so, and then writes everything that is generated from it.
package docs
