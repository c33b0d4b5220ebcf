package loadtest

import (
	"embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed templates/report.html
var files embed.FS

var page = template.Must(template.New("report.html").Funcs(template.FuncMap{
	"half": func(x float64) float64 { return x / 2 },
	"plus": func(x, y float64) float64 { return x + y },
	"rate": func(x float64) string { return fmt.Sprintf("%.1f", x) },
}).ParseFS(files, "templates/report.html"))

// WriteHTML writes the report for people: one page that needs nothing else.
func (r *Report) WriteHTML(out io.Writer) error {
	view := struct {
		*Report
		Plots []plot
	}{r, []plot{r.rates(), r.times(), r.percentiles()}}
	if err := page.Execute(out, view); err != nil {
		return fmt.Errorf("writing the report as a page: %w", err)
	}
	return nil
}
