package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/scan"
)

const (
	maxImageBytes = 10 << 20
	// formBytes is what a form may have around the picture.
	formBytes = 64 << 10
	// imageArrival is how long a picture may take to arrive: telephones send it
	// over slow lines.
	imageArrival = 2 * time.Minute
	// imagesAtOnce bounds the memory and the processors that pictures take: a
	// large one unpacks to a quarter of a gibibyte.
	imagesAtOnce = 2
	// imageWait is how long a picture waits for its turn, imageSearch how long
	// codes are looked for in it.
	imageWait, imageSearch = 5 * time.Second, 8 * time.Second
)

// imagePaths are the addresses that take pictures.
var imagePaths = []string{"/api/v1/barcode/image", "/api/barcode/image"}

// imageTypes are the media types of the pictures that are read. Which of them a
// picture is is told by its bytes.
var imageTypes = []string{"image/jpeg", "image/png", "image/webp"}

// untoldTypes are other types under which a picture may come: none at all, one
// that names no format, and a common misnomer of JPEG.
var untoldTypes = []string{"", "application/octet-stream", "image/jpg"}

// ImageAnswer has a verdict for each product's code that a picture shows.
type ImageAnswer struct {
	Items []recall.Verdict `json:"items" doc:"empty when no product's code could be read for certain"`
}

// imageBody is a picture, as it came.
type imageBody struct {
	raw []byte
}

const imageDescription = "A photograph of a barcode, a GS1 DataMatrix or a QR code with a GS1 Digital Link: JPEG, PNG or WebP, at most 10 MiB and 50 megapixels, " +
	"as the body or as the one file of a form. A body without a media type, or with `application/octet-stream`, is judged by its bytes. One verdict for each product's code that could be read, in no particular order. " +
	"Codes that name no product, such as the address of a web page, are passed over. A code is never guessed: what is not read for certain, and alike on several lines, is not read."

func (s *service) registerBarcodeImage(api huma.API) {
	op := operation("post-barcode-image", http.MethodPost, imagePaths[0], tagSafety, "Verdicts by photograph", imageDescription,
		http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
	picture := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	content := map[string]*huma.MediaType{
		"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"image"}, Properties: map[string]*huma.Schema{"image": picture}}},
	}
	for _, name := range append(imageTypes, "application/octet-stream") {
		content[name] = &huma.MediaType{Schema: picture}
	}
	other := op
	other.Path, other.OperationID = imagePaths[1], op.OperationID+"-2"
	for _, o := range []huma.Operation{op, other} {
		handle[imageBody, ImageAnswer](s, api, o, func(ctx context.Context, in *imageBody) (*answer, error) {
			items, serial, err := s.verdictsIn(ctx, in.raw)
			if err != nil {
				return nil, err
			}
			return uncached(serial, ImageAnswer{Items: items})
		})
		api.OpenAPI().Paths[o.Path].Post.RequestBody = &huma.RequestBody{Required: true, Content: content}
	}
}

// Resolve reads the picture; it makes imageBody a huma.Resolver.
func (b *imageBody) Resolve(ctx huma.Context) []error {
	r, w := humago.Unwrap(ctx)
	raw, err := receivePicture(w, r)
	if err != nil {
		return []error{err}
	}
	b.raw = raw
	return nil
}

// receivePicture takes a picture from a request's body. An error that is a
// *Problem is the sender's.
func receivePicture(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	connection := http.NewResponseController(w)
	deadline := time.Now().Add(imageArrival)
	for _, err := range []error{connection.SetReadDeadline(deadline), connection.SetWriteDeadline(deadline.Add(imageWait + 2*imageSearch))} {
		if err != nil && !errors.Is(err, http.ErrNotSupported) {
			return nil, fmt.Errorf("setting the deadline of a picture: %w", err)
		}
	}
	raw, problem := readPicture(r.Header.Get("Content-Type"), r.Body)
	if problem != nil {
		return nil, problem
	}
	return raw, nil
}

func readPicture(contentType string, body io.Reader) ([]byte, *Problem) {
	kind, params, err := mime.ParseMediaType(contentType)
	switch {
	case slices.Contains(imageTypes, kind), slices.Contains(untoldTypes, kind) && (err == nil || contentType == ""):
		return readBounded(body)
	case err == nil && kind == "multipart/form-data" && params["boundary"] != "":
		return readForm(multipart.NewReader(io.LimitReader(body, maxImageBytes+formBytes), params["boundary"]))
	}
	return nil, newProblem(codeMediaType, fmt.Sprintf("The body is %q; send a picture as %s, or a form with one file.", shown("", contentType), strings.Join(imageTypes, ", ")))
}

func readBounded(body io.Reader) ([]byte, *Problem) {
	raw, err := io.ReadAll(io.LimitReader(body, maxImageBytes+1))
	switch {
	case len(raw) > maxImageBytes:
		return nil, newProblem(codeTooLarge, fmt.Sprintf("The picture is larger than the %d bytes that this call takes.", maxImageBytes))
	case isTimeout(err):
		return nil, newProblem(codeTimeout, kindOf(codeTimeout).Meaning)
	case err != nil:
		return nil, newProblem(codeMalformed, "The body could not be read to its end.")
	case len(raw) == 0:
		return nil, newProblem(codeMalformed, "The body is empty; send a picture.", FieldError{Location: "body", Message: "is empty"})
	}
	return raw, nil
}

// readForm takes the one file of a form, whatever its field is called.
func readForm(form *multipart.Reader) (raw []byte, problem *Problem) {
	for {
		part, err := form.NextPart()
		switch {
		case errors.Is(err, io.EOF) && raw == nil:
			return nil, fieldProblem(codeInvalid, "body.image", "is missing; give the picture as a file of the form", "")
		case errors.Is(err, io.EOF):
			return raw, nil
		case isTimeout(err):
			return nil, newProblem(codeTimeout, kindOf(codeTimeout).Meaning)
		case err != nil:
			return nil, newProblem(codeMalformed, "The form could not be read to its end.")
		case part.FileName() == "":
			return nil, fieldProblem(codeInvalid, "body."+shown("", part.FormName()), "is not a file; the form takes one file and nothing else", "")
		case raw != nil:
			return nil, fieldProblem(codeInvalid, "body."+shown("", part.FormName()), "is a second file; send one picture at a time", "")
		}
		if raw, problem = readBounded(part); problem != nil {
			return nil, problem
		}
	}
}

// readImage looks for the codes in a picture, when it is its turn.
func (s *service) readImage(ctx context.Context, raw []byte) ([]scan.Code, error) {
	turn, cancel := context.WithTimeout(ctx, imageWait)
	defer cancel()
	select {
	case s.images <- struct{}{}:
		defer func() { <-s.images }()
	case <-turn.Done():
		return nil, busy("Too many pictures are being looked at now; ask again in a moment.")
	}
	ctx, cancel = context.WithTimeout(ctx, imageSearch)
	defer cancel()
	codes, err := scan.Read(ctx, raw)
	switch {
	case err == nil:
		return codes, nil
	case errors.Is(err, scan.ErrFormat):
		return nil, newProblem(codeMediaType, "The body is no JPEG, PNG or WebP picture.", FieldError{Location: "body", Message: "is no JPEG, PNG or WebP picture"})
	case errors.Is(err, scan.ErrTooLarge):
		return nil, newProblem(codeTooLarge, fmt.Sprintf("The picture has more pixels than are looked at, which is at most %d million; send a smaller one.", scan.MaxPixels/1_000_000))
	case errors.Is(err, scan.ErrDamaged):
		return nil, newProblem(codeImage, kindOf(codeImage).Meaning, FieldError{Location: "body", Message: "is damaged"})
	case ctx.Err() != nil:
		// What was not looked through must not pass for a picture without codes.
		return nil, busy("The picture could not be looked through in time; ask again, or send the part with the code alone.")
	}
	return nil, err
}

func busy(detail string) *Problem {
	p := newProblem(codeUnavailable, detail)
	p.header = http.Header{"Retry-After": {"5"}}
	return p
}

// verdictsIn gives a verdict on each code in a picture that names a product,
// and the serial of the catalogue that they rest on.
func (s *service) verdictsIn(ctx context.Context, raw []byte) ([]recall.Verdict, int64, error) {
	codes, err := s.readImage(ctx, raw)
	if err != nil {
		return nil, 0, err
	}
	snap := s.Catalogue.Current()
	items := []recall.Verdict{}
	for _, c := range codes {
		if !c.NamesProduct() {
			continue
		}
		v, err := s.Lookup.Barcode(snap, c.Text, recall.Unit{})
		if _, bad := errors.AsType[*recall.BadUnit](err); bad {
			continue // well-formed, but no trade item: a pallet, a place
		}
		if err != nil {
			return nil, 0, fmt.Errorf("answering for the code %q of a picture: %w", c.Text, err)
		}
		items = append(items, v)
	}
	return items, snap.Serial(), nil
}
