// Package browser drives the real binary's pages in Chromium, as people see them:
// on a desk, on a phone and in the dark. `make browser` runs it (build tag browser:
// other tests need no browser) and leaves screenshots behind. It knows nothing of
// the program's insides.
package browser
