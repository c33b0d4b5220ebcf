package disk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"

	"github.com/crownsafe/api/internal/blob"
)

// trailerSize is the length of what follows the content in an object's file. It
// is fixed so that a listing knows an object's size without opening it; the
// longest content type fits in.
const trailerSize = 512

// trailer is what an object's file says of its content: a line of JSON, padded
// with blanks.
type trailer struct {
	Size        int64  `json:"size"`
	MD5         string `json:"md5"`
	ContentType string `json:"type"`
	ID          string `json:"id"` // another one for each Put
}

func (t trailer) bytes() ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(t); err != nil {
		return nil, err
	}
	if line.Len() > trailerSize {
		return nil, fmt.Errorf("the trailer takes %d bytes, more than %d", line.Len(), trailerSize)
	}
	return append(bytes.Repeat([]byte{' '}, trailerSize-line.Len()), line.Bytes()...), nil
}

// plain reports that a file is one without a trailer.
func plain(stat fs.FileInfo) bool { return stat.Mode().Perm()&0o222 != 0 }

// sizeOf returns how long the content of an object's file is.
func sizeOf(stat fs.FileInfo) int64 {
	if plain(stat) {
		return stat.Size()
	}
	return max(0, stat.Size()-trailerSize)
}

// infoOf tells of the object in a file.
func infoOf(key string, stat fs.FileInfo, file io.ReaderAt) (blob.Info, error) {
	info := blob.Info{Key: key, Size: sizeOf(stat), ModifiedAt: stat.ModTime().UTC(), ContentType: blob.DefaultContentType}
	if plain(stat) {
		info.ETag = fmt.Sprintf(`"%x-%x"`, stat.ModTime().UnixNano(), stat.Size())
		return info, nil
	}
	line := make([]byte, trailerSize)
	if _, err := file.ReadAt(line, info.Size); err != nil && err != io.EOF {
		return blob.Info{}, err
	}
	var said trailer
	if err := json.Unmarshal(line, &said); err != nil {
		return blob.Info{}, fmt.Errorf("%w: its file has no trailer: %w", blob.ErrDamaged, err)
	}
	if said.Size != info.Size {
		return blob.Info{}, fmt.Errorf("%w: its file holds %d bytes of %d", blob.ErrDamaged, info.Size, said.Size)
	}
	info.ContentType, info.ETag, info.MD5 = said.ContentType, `"`+said.ID+`"`, said.MD5
	return info, nil
}
