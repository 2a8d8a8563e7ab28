package api

import (
	"encoding/json"
	"reflect"
	"testing"

	"hotline/internal/ticket"
)

// Every field is filled, so that a field added to the row and forgotten by the
// writer shows; the empty row and the odd strings show the rest.
func TestListsWriteWhatTheEncoderWrites(t *testing.T) {
	odd := []string{"", "夜间施工“噪声”", "<b>&\"\\\n\r\t\b\f\x00\x1f\x7f", "坏\xff字\u2028\u2029🚰"}
	for _, s := range odd {
		var full TicketRow
		fill(reflect.ValueOf(&full).Elem(), s)
		full.Suggestion.Confidence = 0.8571
		for _, list := range []TicketList{{}, {Items: []TicketRow{}, Next: s}, {Items: []TicketRow{full, {Unit: &UnitRef{Name: s}}, {}}, Next: s}} {
			want, err := json.Marshal(list)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(list.AppendJSON(nil)); got != string(want) {
				t.Errorf("%q:\ngot  %s\nwant %s", s, got, want)
			}
		}
	}
}

// A ticket, too: filled, empty, and with empty lists.
func TestTicketsWriteWhatTheEncoderWrites(t *testing.T) {
	for _, s := range []string{"夜间施工“噪声”", "<b>&\"\\\n\x00坏\xff字\u2028", "x"} {
		var full TicketOut
		fill(reflect.ValueOf(&full).Elem(), s)
		full.Owner = map[string]string{"unit": s}
		full.Suggestion.Confidence, full.Dispatch.Confidence = 0.8571, 0.25
		full.Actions[0].Fields[0].Default, full.Actions[0].Fields[1].Default = s, 5
		sparse := TicketOut{Points: []PointOut{}, Legs: []LegOut{}, Contacts: []ContactOut{}, Actions: []ticket.Offer{{Name: s, Fields: []ticket.OfferField{}}, {}}, Flags: []string{}}
		for _, out := range []TicketOut{full, sparse, {}} {
			want, err := json.Marshal(out)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(out.AppendJSON(nil)); got != string(want) {
				t.Errorf("%q:\ngot  %s\nwant %s", s, got, want)
			}
		}
	}
}

func fill(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), s)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), s)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), s)
		}
	case reflect.String:
		v.SetString(s)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Interface, reflect.Map:
	default:
		v.SetInt(1234567890123456789)
	}
}
