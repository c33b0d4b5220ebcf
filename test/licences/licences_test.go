package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const mit = `MIT License

Copyright (c) 2020 Somebody

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
`

const gpl = `
This program is free software: you can redistribute it and/or modify it under
the terms of the GNU General Public License as published by the Free Software
Foundation, either version 3 of the License, or (at your option) any later version.
`

func TestLicenceOf(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files map[string]string
		says  string // or the error
	}{
		"allowed":            {map[string]string{"LICENSE": mit}, "MIT"},
		"spelt otherwise":    {map[string]string{"COPYING.md": mit}, "MIT"},
		"none":               {map[string]string{"README.md": mit}, "it has no licence"},
		"not a free one":     {map[string]string{"LICENSE": "All rights reserved. Nobody may copy this."}, "LICENSE is 0 % of known licences"},
		"one that binds":     {map[string]string{"LICENSE": "SPDX-License-Identifier: AGPL-3.0-only\n"}, "LICENSE is"},
		"one that binds too": {map[string]string{"LICENSE": mit + gpl}, "LICENSE gives GPL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for file, text := range test.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			says, err := licenceOf(dir)
			got := strings.Join(says, ", ")
			if err != nil {
				got = err.Error()
			}
			if !strings.HasPrefix(got, test.says) {
				t.Errorf("%q, not %q", got, test.says)
			}
		})
	}
}

// TestTheProgram is built from nothing that it may not be built from.
func TestTheProgram(t *testing.T) {
	t.Parallel()
	var out, faults bytes.Buffer
	if code := realMain([]string{"github.com/crownsafe/api/cmd/crownsafe"}, &out, &faults); code != 0 || strings.Count(out.String(), "\n") < 50 {
		t.Errorf("status %d: %s%s", code, &out, &faults)
	}
	if code := realMain(nil, &out, &faults); code != 2 {
		t.Errorf("without a package: status %d", code)
	}
	if code := realMain([]string{"github.com/crownsafe/api/nowhere"}, &out, &faults); code != 1 {
		t.Errorf("a package that isn't there: status %d", code)
	}
}
