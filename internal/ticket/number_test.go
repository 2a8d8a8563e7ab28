package ticket

import "testing"

// The vectors are worked by hand from ISO/IEC 7064 MOD 11,10.
func TestCheckDigit(t *testing.T) {
	for in, want := range map[string]byte{"0794": '5', "00200667308": '5'} {
		if got := CheckDigit(in); got != want {
			t.Errorf("CheckDigit(%s) = %c, want %c", in, got, want)
		}
	}
	// Every single wrong digit and every swap of neighbours is noticed.
	body := "01261122000123"
	n := body + string(CheckDigit(body))
	for i := range n {
		for d := byte('0'); d <= '9'; d++ {
			if d != n[i] && ValidNumber(n[:i]+string(d)+n[i+1:]) {
				t.Fatalf("a wrong digit at %d went unnoticed", i)
			}
		}
	}
	if Spoken(n) == n || !ValidNumber(n) || ValidNumber(n[:14]) || ValidNumber("01261122000123x") {
		t.Fatal("form")
	}
}
