package api

import (
	"bytes"
	"hash/crc32"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/ean"
	"github.com/boombuler/barcode/qr"
	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
)

const imagePath = "/api/v1/barcode/image"

// paste draws codes below one another on white.
func paste(t testing.TB, codes ...barcode.Barcode) image.Image {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 400, 40+180*max(1, len(codes))))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	for i, code := range codes {
		width, height := 3*code.Bounds().Dx(), 120
		if code.Bounds().Dy() > 1 {
			height = width
		}
		scaled, err := barcode.Scale(code, width, height)
		if err != nil {
			t.Fatal(err)
		}
		at := image.Pt(40, 40+180*i)
		draw.Draw(img, image.Rectangle{at, at.Add(image.Pt(width, height))}, scaled, image.Point{}, draw.Src)
	}
	return img
}

func eanCode(t testing.TB, digits string) barcode.Barcode {
	t.Helper()
	code, err := ean.Encode(digits)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func qrCode(t testing.TB, text string) barcode.Barcode {
	t.Helper()
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func asPNG(t testing.TB, img image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func asJPEG(t testing.TB, img image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type imageAnswer struct {
	Items []struct {
		Verdict string
		Query   struct{ GTIN, Lot string }
	}
}

func TestPhotographsAreAnswered(t *testing.T) {
	affected := eanCode(t, "0036000291452")
	tests := map[string]struct {
		kind, body string
		want       []string // verdict, GTIN and lot
	}{
		"PNG":                      {"image/png", asPNG(t, paste(t, affected)), []string{"need_code 00036000291452 "}},
		"JPEG":                     {"image/jpeg", asJPEG(t, paste(t, affected)), []string{"need_code 00036000291452 "}},
		"under another type":       {"image/webp", asJPEG(t, paste(t, affected)), []string{"need_code 00036000291452 "}},
		"as mere bytes":            {"application/octet-stream", asJPEG(t, paste(t, affected)), []string{"need_code 00036000291452 "}},
		"a misnomer, in capitals":  {"Image/JPG", asJPEG(t, paste(t, affected)), []string{"need_code 00036000291452 "}},
		"without a type":           {"", asPNG(t, paste(t, affected)), []string{"need_code 00036000291452 "}},
		"a Digital Link with lot":  {"image/png", asPNG(t, paste(t, qrCode(t, "https://id.gs1.org/01/00036000291452/10/A17"))), []string{"affected 00036000291452 A17"}},
		"two codes":                {"image/png", asPNG(t, paste(t, affected, eanCode(t, "4006381333931"))), []string{"need_code 00036000291452 ", "no_match 04006381333931 "}},
		"no code":                  {"image/png", asPNG(t, paste(t)), []string{}},
		"the address of a page":    {"image/png", asPNG(t, paste(t, qrCode(t, "https://example.org/promo"))), []string{}},
		"a page and a barcode":     {"image/png", asPNG(t, paste(t, qrCode(t, "https://example.org/promo"), affected)), []string{"need_code 00036000291452 "}},
		"the GLN of a shop, by QR": {"image/png", asPNG(t, paste(t, qrCode(t, "(414)9501101530003"))), []string{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			r := b.do(t, http.MethodPost, imagePath, test.body, "Content-Type", test.kind)
			answer := decode[imageAnswer](t, r, 200)
			got := []string{}
			for _, item := range answer.Items {
				got = append(got, item.Verdict+" "+item.Query.GTIN+" "+item.Query.Lot)
			}
			if diff := cmp.Diff(test.want, got); diff != "" || answer.Items == nil {
				t.Errorf("(-want +got):\n%s%s", diff, r.body)
			}
			if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Crown-Safe-Serial") != "30" {
				t.Errorf("headers %v", r.Header)
			}
		})
	}
}

// form makes a form of files, or of a plain field where the file's name is empty.
func form(t testing.TB, fields ...[3]string) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, field := range fields {
		header := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + field[0] + `"`}}
		if field[1] != "" {
			header.Set("Content-Disposition", header.Get("Content-Disposition")+`; filename="`+field[1]+`"`)
		}
		part, err := w.CreatePart(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(field[2])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

func TestAPhotographMayComeInAForm(t *testing.T) {
	picture := asPNG(t, paste(t, eanCode(t, "0036000291452")))
	good, goodType := form(t, [3]string{"image", "photo.png", picture})
	b := newBench(t)
	for _, path := range []string{imagePath, "/api/barcode/image"} {
		if answer := decode[imageAnswer](t, b.do(t, http.MethodPost, path, good, "Content-Type", goodType), 200); len(answer.Items) != 1 {
			t.Errorf("%s: %+v", path, answer)
		}
	}
	for name, test := range map[string]struct {
		fields [][3]string
		cut    int
		status int
		code   string
		at     string
	}{
		"no file":       {nil, 0, 422, "invalid", "body.image"},
		"a plain field": {[][3]string{{"code", "", "036000291452"}}, 0, 422, "invalid", "body.code"},
		"two files":     {[][3]string{{"a", "a.png", picture}, {"b", "b.png", picture}}, 0, 422, "invalid", "body.b"},
		"an empty file": {[][3]string{{"image", "a.png", ""}}, 0, 400, "malformed", "body"},
		"cut off":       {[][3]string{{"image", "a.png", picture}}, 60, 400, "malformed", ""},
		"too large":     {[][3]string{{"image", "a.png", strings.Repeat("x", maxImageBytes+1)}}, 0, 413, "too_large", ""},
	} {
		body, contentType := form(t, test.fields...)
		p := decode[Problem](t, b.do(t, http.MethodPost, imagePath, body[:len(body)-test.cut], "Content-Type", contentType), test.status)
		if p.Code != test.code || test.at != "" && (len(p.Errors) != 1 || p.Errors[0].Location != test.at) {
			t.Errorf("%s: %+v", name, p)
		}
	}
	decode[Problem](t, b.do(t, http.MethodPost, imagePath, good, "Content-Type", "multipart/form-data"), 415)
}

func TestPhotographsThatCannotBeUsed(t *testing.T) {
	picture := asPNG(t, paste(t, eanCode(t, "0036000291452")))
	bomb := []byte(picture)
	copy(bomb[16:], "\x00\x00\xea\x60\x00\x00\xea\x60") // 60,000 pixels each way
	sum := crc32.ChecksumIEEE(bomb[12:29])
	copy(bomb[29:], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	for name, test := range map[string]struct {
		kind, body string
		status     int
		code       string
	}{
		"JSON":            {"application/json", `{"gtin":"036000291452"}`, 415, "unsupported_media_type"},
		"text":            {"text/plain", "036000291452", 415, "unsupported_media_type"},
		"nonsense":        {";;", picture, 415, "unsupported_media_type"},
		"GIF":             {"image/gif", "GIF89a\x01\x00\x01\x00\x00\x00\x00;", 415, "unsupported_media_type"},
		"JPEG as GIF":     {"image/gif", asJPEG(t, paste(t, eanCode(t, "0036000291452"))), 415, "unsupported_media_type"},
		"JPEG as HEIC":    {"image/heic", asJPEG(t, paste(t, eanCode(t, "0036000291452"))), 415, "unsupported_media_type"},
		"no picture":      {"image/png", "036000291452", 415, "unsupported_media_type"},
		"cut off":         {"image/png", picture[:len(picture)/2], 422, "bad_image"},
		"too many bytes":  {"image/png", picture + strings.Repeat("x", maxImageBytes), 413, "too_large"},
		"too many pixels": {"image/png", string(bomb), 413, "too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newBench(t).do(t, http.MethodPost, imagePath, test.body, "Content-Type", test.kind)
			if p := decode[Problem](t, r, test.status); p.Code != test.code || p.TraceID == "" {
				t.Errorf("%+v", p)
			}
		})
	}
	b := newBench(t)
	if p := decode[Problem](t, b.do(t, http.MethodPost, imagePath, "", "Content-Type", "image/png"), 400); p.Code != "malformed" {
		t.Errorf("an empty body: %+v", p)
	}
	if p := decode[Problem](t, b.do(t, http.MethodPost, imagePath, picture, "Content-Type", "image/png", "Content-Encoding", "gzip"), 415); p.Code != "unsupported_media_type" {
		t.Errorf("a compressed body: %+v", p)
	}
	if p := decode[Problem](t, b.do(t, http.MethodPost, imagePath+"?lot=A17", picture, "Content-Type", "image/png"), 400); p.Code != "unknown_parameter" {
		t.Errorf("a parameter: %+v", p)
	}
}

// A photograph that has no turn in time is not one without codes.
func TestPhotographsTakeTurns(t *testing.T) {
	picture := asPNG(t, paste(t, eanCode(t, "0036000291452")))
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		turns := b.Handler.(*service).images
		for range imagesAtOnce {
			turns <- struct{}{}
		}
		began := time.Now()
		r := b.do(t, http.MethodPost, imagePath, picture, "Content-Type", "image/png")
		if p := decode[Problem](t, r, 503); p.Code != "unavailable" || r.Header.Get("Retry-After") == "" || time.Since(began) != imageWait {
			t.Errorf("after %s: %+v", time.Since(began), p)
		}
		time.AfterFunc(imageWait/2, func() { <-turns })
		if r := b.do(t, http.MethodPost, imagePath, picture, "Content-Type", "image/png"); r.StatusCode != 200 {
			t.Errorf("when a turn came: %d %s", r.StatusCode, r.body)
		}
	})
}

func TestFailuresBehindAPhotographAreOurs(t *testing.T) {
	b := newBench(t, func(d *Dependencies) { d.Lookup = brokenLookup{fails: http.ErrServerClosed} })
	r := b.do(t, http.MethodPost, imagePath, asPNG(t, paste(t, eanCode(t, "0036000291452"))), "Content-Type", "image/png")
	if p := decode[Problem](t, r, 500); p.Code != "internal" {
		t.Errorf("%+v", p)
	}
}

func TestPhotographsBeforeThereIsACatalogue(t *testing.T) {
	b := newBench(t)
	b.board = catalogue.New()
	r := b.do(t, http.MethodPost, imagePath, asPNG(t, paste(t, eanCode(t, "0036000291452"))), "Content-Type", "image/png")
	if answer := decode[imageAnswer](t, r, 200); len(answer.Items) != 1 || answer.Items[0].Verdict != string(recall.CannotTell) {
		t.Errorf("%+v", answer)
	}
}
