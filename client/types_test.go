package client

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// types are what the document's schemas are here.
var types = map[string]reflect.Type{
	"Alias": reflect.TypeFor[Alias](), "AuditEntry": reflect.TypeFor[AuditEntry](), "Cache": reflect.TypeFor[CacheSubsystem](),
	"CacheStats": reflect.TypeFor[CacheStats](), "ChangeFeed": reflect.TypeFor[ChangeFeed](), "ChangeItem": reflect.TypeFor[Change](),
	"Check": reflect.TypeFor[SecurityCheck](), "ConnectionPool": reflect.TypeFor[ConnectionPool](), "Coverage": reflect.TypeFor[Coverage](),
	"Credentials": reflect.TypeFor[Credentials](), "Dashboard": reflect.TypeFor[Dashboard](), "Database": reflect.TypeFor[DatabaseSubsystem](),
	"DatabaseHealth": reflect.TypeFor[DatabaseHealth](), "Evidence": reflect.TypeFor[Evidence](), "Export": reflect.TypeFor[AccountExport](),
	"FacetCount": reflect.TypeFor[FacetCount](), "FarStats": reflect.TypeFor[SharedCacheStats](), "FieldChange": reflect.TypeFor[FieldChange](),
	"FieldError": reflect.TypeFor[FieldError](), "Hazard": reflect.TypeFor[Hazard](), "Health": reflect.TypeFor[Health](),
	"Incidents": reflect.TypeFor[Incidents](), "KeptAnswer": reflect.TypeFor[KeptAnswer](), "KeptLetter": reflect.TypeFor[KeptLetter](),
	"KeptSignIn": reflect.TypeFor[KeptSession](), "KeptUser": reflect.TypeFor[KeptUser](), "Key": reflect.TypeFor[Key](), "KeyRequest": reflect.TypeFor[KeyRequest](), "Lag": reflect.TypeFor[Lag](),
	"LogLevelAnswer": reflect.TypeFor[LogLevels](), "LogLevelNames": reflect.TypeFor[logLevelSettings](), "Match": reflect.TypeFor[Match](),
	"Me": reflect.TypeFor[User](), "NewKey": reflect.TypeFor[NewKey](), "Notice": reflect.TypeFor[Notice](), "OperationPool": reflect.TypeFor[OperationPool](),
	"OperationStats": reflect.TypeFor[OperationStats](), "Penalty": reflect.TypeFor[Penalty](), "Percentiles": reflect.TypeFor[Percentiles](),
	"Pool": reflect.TypeFor[PoolSubsystem](), "Predicate": reflect.TypeFor[Predicate](), "PrintedGTIN": reflect.TypeFor[PrintedGTIN](),
	"Problem": reflect.TypeFor[Problem](), "Product": reflect.TypeFor[Product](), "Provenance": reflect.TypeFor[Provenance](),
	"Quality": reflect.TypeFor[Quality](), "QuarantinePage": reflect.TypeFor[QuarantinePage](), "Quote": reflect.TypeFor[Quote](),
	"RecallData": reflect.TypeFor[RecallDataSubsystem](), "RecallItem": reflect.TypeFor[Recall](), "RecallPage": reflect.TypeFor[RecallPage](),
	"RejectedRecord": reflect.TypeFor[RejectedRecord](), "Remedy": reflect.TypeFor[Remedy](), "ReplicaHealth": reflect.TypeFor[ReplicaHealth](),
	"Report": reflect.TypeFor[SecurityReport](), "RevisionItem": reflect.TypeFor[Revision](), "Rewrite": reflect.TypeFor[Rewrite](),
	"SchemaVersions": reflect.TypeFor[SchemaVersions](), "Security": reflect.TypeFor[SecuritySubsystem](), "SignIn": reflect.TypeFor[Session](),
	"SignedIn": reflect.TypeFor[SignedIn](), "Source": reflect.TypeFor[Source](), "SourceAge": reflect.TypeFor[SourceAge](),
	"Storage": reflect.TypeFor[StorageSubsystem](), "StorageHealth": reflect.TypeFor[StorageHealth](), "Subsystems": reflect.TypeFor[Subsystems](),
	"Summary": reflect.TypeFor[RecallSummary](), "Totals": reflect.TypeFor[SecurityTotals](), "Unit": reflect.TypeFor[Unit](),
	"UnitCount": reflect.TypeFor[UnitCount](), "UploadCounts": reflect.TypeFor[UploadCounts](), "Verdict": reflect.TypeFor[Verdict](),
}

// untyped are schemas of a field or two that methods take apart themselves.
var untyped = []string{
	"Accepted", "BatchAnswer", "BatchError", "BatchRequest", "DeleteRequest", "ImageAnswer", "KeyList", "Liveness", "LogoutRequest", "RefreshRequest",
	"ResetRequest", "RevisionList", "SignInList", "SourceList", "VerifyRequest",
}

// TestTypesAreTheDocuments compares every field with its schema's property.
func TestTypesAreTheDocuments(t *testing.T) {
	t.Parallel()
	for name, ref := range loadContract(t).document.Components.Schemas {
		typ, ok := types[name]
		if !ok {
			if !slices.Contains(untyped, name) {
				t.Errorf("the schema %s has no type", name)
			}
			continue
		}
		fields := jsonFields(typ)
		for property, schema := range ref.Value.Properties {
			field, ok := fields[property]
			if !ok {
				t.Errorf("%s has no field for %s.%s", typ, name, property)
				continue
			}
			optional := !slices.Contains(ref.Value.Required, property) && field.Kind() == reflect.Struct && field != reflect.TypeFor[time.Time]()
			if !fits(field, schema.Value) || optional { // what is missing would be taken for a struct of zeros
				t.Errorf("%s holds %s.%s in a %s", typ, name, property, field)
			}
			delete(fields, property)
		}
		for _, rest := range slices.Sorted(maps.Keys(fields)) {
			t.Errorf("%s has %s, which %s has not", typ, rest, name)
		}
	}
}

// jsonFields are a struct's fields by their names in JSON, those of embedded structs
// among them.
func jsonFields(typ reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(typ) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			fields[name] = f.Type
		}
	}
	return fields
}

// fits says whether a Go type holds every value of a schema.
func fits(typ reflect.Type, s *openapi3.Schema) bool {
	if typ == reflect.TypeFor[json.RawMessage]() {
		return true
	}
	pointer := typ.Kind() == reflect.Pointer
	if pointer {
		typ = typ.Elem()
	}
	switch {
	case len(s.OneOf) > 0: // with null
		return pointer && typ.Kind() == reflect.Struct
	case s.Type.Includes("null") && !pointer:
		return false // null would be taken for the zero value
	case s.Type.Includes("string") && s.Format == "date-time":
		return typ == reflect.TypeFor[time.Time]()
	case s.Type.Includes("string"):
		return typ.Kind() == reflect.String
	case s.Type.Includes("integer"):
		return typ.Kind() == reflect.Int64 || typ.Kind() == reflect.Int
	case s.Type.Includes("number"):
		return typ.Kind() == reflect.Float64
	case s.Type.Includes("boolean"):
		return typ.Kind() == reflect.Bool
	case s.Type.Includes("array"):
		return typ.Kind() == reflect.Slice
	}
	return typ.Kind() == reflect.Struct || typ.Kind() == reflect.Map
}
