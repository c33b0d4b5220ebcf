package blob

import "context"

// uploadKey marks the contexts of uploads. It is a mark and no method of Guarded
// because what stands between the two passes contexts on as they are.
type uploadKey struct{}

func asUpload(ctx context.Context) context.Context { return context.WithValue(ctx, uploadKey{}, true) }

func uploading(ctx context.Context) bool { return ctx.Value(uploadKey{}) != nil }

// uploadShare is how many of the operations in flight may be of uploads.
func uploadShare(inFlight int) int { return max(1, inFlight-max(2, inFlight/5)) }
