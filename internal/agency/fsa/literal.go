package fsa

import (
	"bytes"
	"errors"
)

// unwrap turns a script that keeps alerts in an array literal into the JSON that
// the API answered: what stands before the array and behind it is dropped, keys
// get their quotes back, and commas before a closing bracket go. Strings are
// left alone; they have to be JSON's already.
func unwrap(script []byte) ([]byte, error) {
	start := bytes.IndexByte(script, '[')
	if start < 0 {
		return nil, errors.New("the script holds no array")
	}
	script = script[start:]
	out := make([]byte, 0, len(script)+len(script)/16)
	depth := 0
	for i := 0; i < len(script); {
		switch c := script[i]; {
		case c == '"':
			end := stringEnd(script, i)
			out = append(out, script[i:end]...)
			i = end
			continue
		case isNameStart(c):
			end := i
			for end < len(script) && (isNameStart(script[end]) || script[end] >= '0' && script[end] <= '9') {
				end++
			}
			word := script[i:end]
			if rest := bytes.TrimLeft(script[end:], " \t\r\n"); len(rest) > 0 && rest[0] == ':' {
				out = append(append(append(out, '"'), word...), '"')
			} else {
				out = append(out, word...) // true, false, null
			}
			i = end
			continue
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
			out = bytes.TrimSuffix(bytes.TrimRight(out, " \t\r\n"), []byte(","))
		}
		out = append(out, script[i])
		i++
		if depth == 0 {
			break
		}
	}
	return out, nil
}

// stringEnd returns where the string that starts at i ends.
func stringEnd(s []byte, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

func isNameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$'
}
