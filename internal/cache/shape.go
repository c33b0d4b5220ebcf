package cache

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
)

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// fingerprint tells types apart whose JSON differs: the names, tags and types of
// fields, all the way down. A type that writes itself counts by its name.
func fingerprint[T any]() string {
	sum := sha256.New()
	describe(sum, reflect.TypeFor[T](), map[reflect.Type]bool{})
	return hex.EncodeToString(sum.Sum(nil)[:4])
}

func describe(w io.Writer, t reflect.Type, above map[reflect.Type]bool) {
	if above[t] || t.Implements(jsonMarshaler) || t.Implements(textMarshaler) {
		fmt.Fprintf(w, "%s.%s;", t.PkgPath(), t.Name())
		return
	}
	above[t] = true
	defer delete(above, t)
	fmt.Fprintf(w, "%s(", t.Kind())
	switch t.Kind() {
	case reflect.Struct:
		for field := range t.Fields() {
			fmt.Fprintf(w, "%s %q ", field.Name, field.Tag)
			describe(w, field.Type, above)
		}
	case reflect.Map:
		describe(w, t.Key(), above)
		describe(w, t.Elem(), above)
	case reflect.Pointer, reflect.Slice:
		describe(w, t.Elem(), above)
	case reflect.Array:
		fmt.Fprintf(w, "%d ", t.Len())
		describe(w, t.Elem(), above)
	}
	fmt.Fprint(w, ")")
}
