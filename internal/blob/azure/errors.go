package azure

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/crownsafe/api/internal/blob"
)

// purpose says what a request was for: a refusal means different things.
type purpose bool

const (
	reading purpose = false
	writing purpose = true
)

// translated gives the port's error for one of Azure's library. It tells what
// the account said by its status and code and by nothing else: the library's
// own texts have URLs with signatures, and bodies that quote what was signed.
func (s *Store) translated(ctx context.Context, err error, doing purpose) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if answer, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return fmt.Errorf("%w: the account answered %s", meaning(answer, doing), described(answer))
	}
	if refused, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok && refused.RawResponse != nil && refused.RawResponse.StatusCode < http.StatusInternalServerError {
		return fmt.Errorf("%w: the identity's token was refused with status %d", blob.ErrDenied, refused.RawResponse.StatusCode)
	}
	// Neither a context's error of our own making nor a URL may go on.
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err
	}
	return fmt.Errorf("%w: %s", blob.ErrUnavailable, s.secrets.Replace(err.Error()))
}

func described(answer *azcore.ResponseError) string {
	text := fmt.Sprintf("%d %s", answer.StatusCode, answer.ErrorCode)
	if answer.RawResponse != nil {
		if id := answer.RawResponse.Header.Get("x-ms-request-id"); id != "" {
			text += " (request " + id + ")"
		}
	}
	return text
}

// meaning is what an answer's status and code say in the port's words; see
// https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes.
func meaning(answer *azcore.ResponseError, doing purpose) error {
	code := bloberror.Code(answer.ErrorCode)
	switch code {
	case bloberror.ContainerBeingDeleted, bloberror.ContainerDisabled, bloberror.AccountIsDisabled:
		return blob.ErrUnavailable
	case bloberror.BlobImmutableDueToPolicy, bloberror.LeaseIDMissing:
		return blob.ErrReadOnly
	case bloberror.AuthenticationFailed, bloberror.InvalidAuthenticationInfo, bloberror.NoAuthenticationInformation:
		return blob.ErrDenied
	case bloberror.BlobAlreadyExists:
		return blob.ErrExists
	case bloberror.InvalidBlockList, bloberror.InvalidBlobOrBlock, bloberror.InvalidBlockID:
		return errOvertaken
	}
	if damagedOnTheWay(answer.ErrorCode) {
		return blob.ErrDamaged
	}
	switch status := answer.StatusCode; {
	case status == http.StatusNotFound:
		return blob.ErrNotFound
	case status == http.StatusForbidden && doing == writing:
		return blob.ErrReadOnly
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		return blob.ErrDenied
	case status == http.StatusPreconditionFailed:
		return blob.ErrChanged
	case status == http.StatusRequestedRangeNotSatisfiable:
		return blob.ErrRange
	case status == http.StatusInsufficientStorage:
		return blob.ErrFull
	case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
		return blob.ErrUnavailable
	}
	return errUnexpected
}

var (
	errUnexpected = errors.New("the object store refuses the request")
	// errOvertaken says that staged blocks are gone, for another upload of the
	// same blob was committed meanwhile, which discards those of all others.
	errOvertaken = errors.New("another upload of the object came first")
)

// damagedOnTheWay reports that the account got other bytes than were sent.
func damagedOnTheWay(code string) bool {
	switch bloberror.Code(code) {
	case bloberror.MD5Mismatch, bloberror.CRC64Mismatch:
		return true
	}
	return false
}

// hopeless reports a failure that the next attempt would meet too.
func hopeless(err error) bool {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	return untrusted
}
