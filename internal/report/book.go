package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// book is a workbook in the making; sheets are streamed one after another.
type book struct {
	f      *excelize.File
	head   int   // style of headings
	lines  int64 // tickets or groups written, without headings and totals
	sheets map[string]bool
}

// sheet is the sheet being written.
type sheet struct {
	w   *excelize.StreamWriter
	b   *book
	row int
}

func newBook() (*book, error) {
	f := excelize.NewFile()
	b := &book{f: f, sheets: map[string]bool{}}
	var err error
	if b.head, err = f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E8EDF5"}},
		Alignment: &excelize.Alignment{Vertical: "center", WrapText: true}}); err != nil {
		return nil, err
	}
	return b, nil
}

// sheet begins a sheet with column widths; rows above the frozen line stay in view.
func (b *book) sheet(name string, frozen int, widths ...float64) (*sheet, error) {
	name = b.title(name)
	if len(b.sheets) == 1 {
		if err := b.f.SetSheetName("Sheet1", name); err != nil {
			return nil, err
		}
	} else if _, err := b.f.NewSheet(name); err != nil {
		return nil, err
	}
	w, err := b.f.NewStreamWriter(name)
	if err != nil {
		return nil, err
	}
	for i, width := range widths {
		if err := w.SetColWidth(i+1, i+1, width); err != nil {
			return nil, err
		}
	}
	if frozen > 0 {
		if err := w.SetPanes(&excelize.Panes{Freeze: true, YSplit: frozen, TopLeftCell: fmt.Sprintf("A%d", frozen+1), ActivePane: "bottomLeft"}); err != nil {
			return nil, err
		}
	}
	return &sheet{w: w, b: b}, nil
}

// title makes a sheet name that spreadsheets accept and that is not taken.
func (b *book) title(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]'`, r) {
			return -1
		}
		return r
	}, name)
	if utf8.RuneCountInString(name) > 28 {
		name = string([]rune(name)[:28])
	}
	for n, base := 2, name; b.sheets[name]; n++ {
		name = fmt.Sprintf("%s%d", base, n)
	}
	b.sheets[name] = true
	return name
}

func (s *sheet) add(style int, values ...any) error {
	s.row++
	row := cells(values...)
	if style != 0 {
		for i, v := range row {
			row[i] = excelize.Cell{StyleID: style, Value: v}
		}
	}
	return s.w.SetRow(fmt.Sprintf("A%d", s.row), row)
}

// heading writes a row of headings.
func (s *sheet) heading(values ...any) error { return s.add(s.b.head, values...) }

// line writes a row of values.
func (s *sheet) line(values ...any) error { return s.add(0, values...) }

func (s *sheet) end() error { return s.w.Flush() }

// write gives the finished workbook and closes it.
func (b *book) write(w io.Writer) error {
	defer b.f.Close()
	b.f.SetActiveSheet(0)
	_, err := b.f.WriteTo(w)
	return err
}
