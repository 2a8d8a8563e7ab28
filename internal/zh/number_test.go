package zh

import (
	"testing"

	"pgregory.net/rapid"
)

func TestNormalizePhone(t *testing.T) {
	for in, want := range map[string]string{
		"13812342671": "13812342671", "138 1234 2671": "13812342671", "138-1234-2671": "13812342671", "+86 138 1234 2671": "13812342671", "8613812342671": "13812342671",
		"0086-13812342671": "13812342671", "１３８１２３４２６７１": "13812342671", " 13812342671\n": "13812342671", "027-87654321": "02787654321", "(027) 8765 4321": "02787654321",
		"０２７—８７６５４３２１": "02787654321", "0710-3456789": "07103456789", "07103456789": "07103456789", "+86 27 87654321": "02787654321", "027-87654321-8001": "02787654321", "027-87654321转8001": "02787654321",
		"0719-86543210": "071986543210",
		"":              "", "12345": "", "87654321": "", "1381234267": "", "138123426711": "", "12812342671": "", "02712345678": "", "0278765432": "", "abc": "", "138a1234267": "", "400-820-8820": "", "01234567890": "",
	} {
		got, ok := NormalizePhone(in)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q %v, want %q", in, got, ok, want)
		}
	}
}

func TestNormalizedPhoneStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("0123456789 -+()（）－转"))).Draw(t, "s")
		if once, ok := NormalizePhone(s); ok {
			if twice, ok := NormalizePhone(once); !ok || twice != once {
				t.Fatalf("%q: %q then %q", s, once, twice)
			}
		}
	})
}

func TestValidUSCC(t *testing.T) {
	// The check characters were computed by hand from GB 32100-2015.
	for s, want := range map[string]bool{
		"91350100M000100Y43": true, // the standard's own example
		"91350100m000100y43": true, "91350100M000100Y44": false, "91350100M000100I43": false, "91350100M000100Y4": false, "": false, "9135O100M000100Y43": false,
	} {
		if got := ValidUSCC(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}
