package agency_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/crownsafe/api/internal/agency"
)

func parseHTML(t *testing.T, source string) *html.Node {
	t.Helper()
	root, err := agency.ParseHTML(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestHTMLText(t *testing.T) {
	for source, want := range map[string]string{
		"<p>one\ntwo</p><p>three<br>four</p>":                         "one two\nthree\nfour",
		"<ul><li>a</li><li>b &amp; c</li></ul>":                       "a\nb & c",
		"<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>":       "a b\nc",
		"x<script>var y</script><style>p{}</style><!-- no -->&nbsp;z": "x z",
		"<p>5 < 6": "5 < 6",
		"":         "",
	} {
		if got := agency.HTMLText(parseHTML(t, source)); got != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}

func TestHTMLTables(t *testing.T) {
	for name, test := range map[string]struct {
		source  string
		caption string
		want    [][]string
	}{
		"head and body":          {"<table><thead><tr><th>Type<th>Toys</thead><tbody><tr><td>Brand<td>Larkmere</table>", "", [][]string{{"*Type", "*Toys"}, {"Brand", "Larkmere"}}},
		"a caption":              {"<table><caption>Affected</caption><tr><td>a</table>", "Affected", [][]string{{"a"}}},
		"a cell over two rows":   {"<table><tr><td rowspan=2>a<td>b<tr><td>c<tr><td>d<td>e</table>", "", [][]string{{"a", "b"}, {"a", "c"}, {"d", "e"}}},
		"the last cell two rows": {"<table><tr><td>a<td rowspan=2>b<tr><td>c</table>", "", [][]string{{"a", "b"}, {"c", "b"}}},
		"a cell over columns":    {"<table><tr><td colspan=2>a<td>b<tr><td>c<td>d<td>e</table>", "", [][]string{{"a", "a", "b"}, {"c", "d", "e"}}},
		"a table in a cell":      {"<table><tr><td>a<table><tr><td>b</table><td>c</table>", "", [][]string{{"a\nb", "c"}}},
		"a span that is no span": {"<table><tr><td rowspan=x colspan=-1>a<td>b<tr><td>c</table>", "", [][]string{{"a", "b"}, {"c"}}},
	} {
		t.Run(name, func(t *testing.T) {
			tables := agency.HTMLTables(parseHTML(t, test.source))
			if len(tables) != 1 {
				t.Fatalf("%d tables, want 1", len(tables))
			}
			var got [][]string
			for _, row := range tables[0].Rows {
				var texts []string
				for _, cell := range row {
					if cell.Header {
						cell.Text = "*" + cell.Text
					}
					texts = append(texts, cell.Text)
				}
				got = append(got, texts)
			}
			if diff := cmp.Diff(test.want, got); diff != "" || tables[0].Caption != test.caption {
				t.Errorf("caption %q, rows (-want +got):\n%s", tables[0].Caption, diff)
			}
		})
	}
}

func TestHTMLTablesWithAHugeSpanStaySmall(t *testing.T) {
	tables := agency.HTMLTables(parseHTML(t, "<table><tr><td colspan=99999999>a</table>"))
	if n := len(tables[0].Rows[0]); n > 100 {
		t.Errorf("one cell became %d", n)
	}
}

func TestHTMLSections(t *testing.T) {
	for name, test := range map[string]struct {
		source string
		want   []string
	}{
		"at the top":  {"intro<h2>A</h2><p>a</p><p>aa</p><h3>B</h3><p>b</p>", []string{":intro", "A:a\naa", "B:b"}},
		"wrapped":     {"<nav>menu</nav><main><h1>A</h1>a<h2>B</h2>b</main>", []string{":", "A:a", "B:b"}},
		"no headings": {"<p>a</p>", []string{":a"}},
	} {
		t.Run(name, func(t *testing.T) {
			body := agency.HTMLFirst(parseHTML(t, test.source), atom.Body, nil)
			var got []string
			for _, s := range agency.HTMLSections(body) {
				got = append(got, s.Heading+":"+agency.HTMLText(s.Nodes...))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestHTMLLinksAndClasses(t *testing.T) {
	root := parseHTML(t, `<div class="a">no</div><div class="b field"><a href=" /x ">x</a><a name="y">y</a></div><a href="https://z.example">z</a>`)
	if diff := cmp.Diff([]string{"/x", "https://z.example"}, agency.HTMLLinks(root)); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	if n := agency.HTMLFirst(root, atom.Div, agency.HTMLHasClass("field")); n == nil || agency.HTMLAttribute(n, "class") != "b field" {
		t.Errorf("found %v, want the element of class field", n)
	}
	if n := agency.HTMLFirst(root, atom.Div, agency.HTMLHasClass("fie")); n != nil {
		t.Errorf("found %v by half of a class", n)
	}
}

func TestParseHTMLRefusesAbysses(t *testing.T) {
	if _, err := agency.ParseHTML(strings.NewReader(strings.Repeat("<div>", 100_000))); err == nil {
		t.Error("100,000 nested elements were read; want an error")
	}
}
