package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/draw"
	"image/png"
	"net/http"
	"testing"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/ean"

	"github.com/crownsafe/api/test/program"
)

func TestExportIsWholeAndUnchanged(t *testing.T) {
	t.Parallel()
	s := program.Serve(t, t.TempDir())
	resp, err := http.Get(s.Base + "/api/v1/export/recalls.ndjson.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	unpacked, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(unpacked)
	sum, notices := sha256.New(), 0
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatalf("after %d notices: %v", notices, err)
		}
		var end struct {
			Manifest *struct {
				Notices int
				SHA256  string
			}
			ID string
		}
		if err := json.Unmarshal(line, &end); err != nil {
			t.Fatal(err)
		}
		if end.Manifest == nil {
			sum.Write(line)
			notices++
			continue
		}
		if end.Manifest.Notices != notices || notices < 200 || end.Manifest.SHA256 != hex.EncodeToString(sum.Sum(nil)) {
			t.Errorf("%d notices that hash to %x; the manifest: %+v", notices, sum.Sum(nil), end.Manifest)
		}
		break
	}
	again, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Base+"/api/v1/export/recalls.ndjson.gz", nil)
	if err != nil {
		t.Fatal(err)
	}
	again.Header.Set("If-None-Match", resp.Header.Get("ETag"))
	unchanged, err := http.DefaultClient.Do(again)
	if err != nil {
		t.Fatal(err)
	}
	defer unchanged.Body.Close()
	if unchanged.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: %d", unchanged.StatusCode)
	}
}

func TestAPhotographIsAnswered(t *testing.T) {
	t.Parallel()
	code, err := ean.Encode("0" + starterBarcode)
	if err != nil {
		t.Fatal(err)
	}
	scaled, err := barcode.Scale(code, 3*code.Bounds().Dx(), 100)
	if err != nil {
		t.Fatal(err)
	}
	picture := image.NewGray(image.Rect(0, 0, 400, 200))
	draw.Draw(picture, picture.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(picture, scaled.Bounds().Add(image.Pt(50, 50)), scaled, image.Point{}, draw.Src)
	var body bytes.Buffer
	if err := png.Encode(&body, picture); err != nil {
		t.Fatal(err)
	}
	s := program.Serve(t, t.TempDir())
	resp, err := http.Post(s.Base+"/api/v1/barcode/image", "image/png", &body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Items []verdict }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || len(answer.Items) != 1 || answer.Items[0].Verdict != "affected" || answer.Items[0].Query.GTIN != "00"+starterBarcode {
		t.Errorf("%d %+v", resp.StatusCode, answer)
	}
}
