package rappelconso

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/crownsafe/api/internal/agency"
)

// Parse implements agency.Agency.
func (a *Agency) Parse(ctx context.Context, format string, payload io.Reader, sink agency.Sink) error {
	p := &parser{agency: a, ctx: ctx, format: format, sink: sink}
	err := p.read(payload)
	if ended := (*sinkError)(nil); errors.As(err, &ended) {
		return ended.error
	}
	return err
}

// parser reads one payload.
type parser struct {
	agency *Agency
	ctx    context.Context
	format string
	sink   agency.Sink

	// The rows of FormatTrie by notice, in the order of their first rows.
	grouped []*group
	byFiche map[string]*group
}

// group is the rows that one notice has in FormatTrie.
type group struct {
	row      row
	position int
	gtins    []string // as the column gtin has them
	raw      []byte
}

// sinkError marks an error of the sink, which ends the parse and is returned as it is.
type sinkError struct{ error }

func (p *parser) read(payload io.Reader) error {
	switch p.format {
	case FormatCSV:
		return p.readCSV(payload)
	case FormatEspaces, FormatExplore, FormatV1:
		return p.readJSON(payload)
	case FormatTrie:
		if err := p.readJSON(payload); err != nil {
			if errors.As(err, new(*sinkError)) {
				return err
			}
			return errors.Join(err, p.emitGrouped())
		}
		return p.emitGrouped()
	}
	return fmt.Errorf("RappelConso has no format %q", p.format)
}

func (p *parser) readJSON(payload io.Reader) error {
	d := agency.NewJSONDecoder(payload)
	switch start, err := peek(d); {
	case err != nil:
		return err
	case start == '[':
		if err := agency.EachElement(d, p.element); err != nil {
			return err
		}
	default:
		if err := p.readObject(d); err != nil {
			return err
		}
	}
	return agency.EndOfJSON(d)
}

// peek returns the first byte of the value that the decoder stands before.
func peek(d *json.Decoder) (byte, error) {
	if !d.More() {
		return 0, fmt.Errorf("%w (it is empty)", agency.ErrTruncated)
	}
	buffered := make([]byte, 1)
	if _, err := io.ReadFull(d.Buffered(), buffered); err != nil {
		return 0, fmt.Errorf("%w (it is empty)", agency.ErrTruncated)
	}
	return buffered[0], nil
}

// readObject reads an answer of the portal, or one bare record.
func (p *parser) readObject(d *json.Decoder) error {
	envelope := false
	record := map[string]json.RawMessage{}
	err := agency.EachMember(d, func(key string) error {
		if key == "results" || key == "records" {
			envelope = true
			return agency.EachElement(d, p.element)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("%w (in %s)", agency.ErrTruncated, key)
		}
		record[key] = value
		return nil
	})
	if err != nil || envelope {
		return err
	}
	raw, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("reading the one record of the payload: %w", err)
	}
	return p.element(1, raw)
}

// element takes one JSON record.
func (p *parser) element(position int, raw json.RawMessage) error {
	if err := p.ctx.Err(); err != nil {
		return &sinkError{err}
	}
	r, err := readRow(raw)
	if err != nil {
		return p.reject(r["numero_fiche"], position, err, raw)
	}
	if p.format == FormatTrie {
		p.group(r, position, raw)
		return nil
	}
	return p.emit(r, position, raw)
}

// group joins the rows of one notice: their barcodes, and what each tells of
// the products' identification.
func (p *parser) group(r row, position int, raw []byte) {
	if p.byFiche == nil {
		p.byFiche = map[string]*group{}
	}
	code := r["gtin"]
	delete(r, "gtin")
	key := r["numero_fiche"] + "\x00" + r["numero_version"]
	g, ok := p.byFiche[key]
	if !ok || r["numero_fiche"] == "" {
		g = &group{row: r, position: position, raw: []byte(agency.ExcerptOf(raw))}
		p.byFiche[key] = g
		p.grouped = append(p.grouped, g)
	} else if more := r["identification_produits"]; more != "" && !strings.Contains(g.row["identification_produits"], more) {
		g.row["identification_produits"] = strings.Trim(g.row["identification_produits"]+"|"+more, "|")
	}
	if code != "" && code != "0" {
		g.gtins = append(g.gtins, code)
	}
}

func (p *parser) emitGrouped() error {
	for _, g := range p.grouped {
		if len(g.gtins) > 0 {
			g.row["gtin"] = strings.Join(g.gtins, " ")
		}
		if err := p.emit(g.row, g.position, g.raw); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) emit(r row, position int, raw []byte) error {
	record, err := p.agency.record(r, p.format)
	if err != nil {
		return p.reject(r["numero_fiche"], position, err, raw)
	}
	if err := p.sink.Record(record); err != nil {
		return &sinkError{err}
	}
	return nil
}

func (p *parser) reject(nativeID string, position int, reason error, raw []byte) error {
	err := p.sink.Reject(agency.Reject{NativeID: nativeID, Position: position, Reason: reason.Error(), Excerpt: agency.ExcerptOf(raw)})
	if err != nil {
		return &sinkError{err}
	}
	return nil
}

// readCSV reads the portal's export: semicolons, column names in the first
// line, a byte order mark.
func (p *parser) readCSV(payload io.Reader) error {
	end := &lastByte{source: agency.SkipMark(payload)}
	lines := csv.NewReader(end)
	lines.Comma = ';'
	names, err := lines.Read()
	if err != nil {
		return fmt.Errorf("reading the column names: %w", err)
	}
	for position := 1; ; position++ {
		values, err := lines.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, csv.ErrQuote) && end.reached, errors.Is(err, csv.ErrFieldCount) && end.reached && end.last != '\n' && len(values) < len(names):
			return fmt.Errorf("%w (in row %d)", agency.ErrTruncated, position)
		}
		if err := p.csvRow(names, values, position, err); err != nil {
			return err
		}
	}
}

func (p *parser) csvRow(names, values []string, position int, err error) error {
	if cancelled := p.ctx.Err(); cancelled != nil {
		return &sinkError{cancelled}
	}
	raw := []byte(strings.Join(values, ";"))
	if err != nil {
		if !errors.As(err, new(*csv.ParseError)) {
			return fmt.Errorf("reading row %d: %w", position, err)
		}
		return p.reject("", position, err, raw)
	}
	r := make(row, len(names))
	for i, name := range names {
		text := values[i]
		if name == "identification_produits" && !strings.ContainsRune(text, '$') {
			text = strings.ReplaceAll(text, ",", "$") // the export joins an array's elements with commas
		}
		r.set(fieldName(name), text)
	}
	return p.emit(r, position, raw)
}

// lastByte remembers the last byte that was read from a source and whether its
// end was reached.
type lastByte struct {
	source  io.Reader
	last    byte
	reached bool
}

func (l *lastByte) Read(b []byte) (int, error) {
	n, err := l.source.Read(b)
	if n > 0 {
		l.last = b[n-1]
	}
	l.reached = l.reached || errors.Is(err, io.EOF)
	return n, err
}
