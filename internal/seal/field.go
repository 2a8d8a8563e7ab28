package seal

import (
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"
)

const (
	sealedText = "[sealed]"
	clearText  = "[clear]"
)

// Field (密文字段) is a sealed value as it is stored:
// suite(1) ‖ nonce(12) ‖ ciphertext ‖ tag(16). It is made by Key.Seal and read
// by Key.Open; printed, logged or marshalled it says "[sealed]". The empty
// Field is stored as NULL and means that there never was a value.
type Field []byte

// String is "[sealed]".
func (f Field) String() string { return sealedText }

// Format writes "[sealed]" whatever the verb.
func (f Field) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, sealedText) }

// LogValue is "[sealed]".
func (f Field) LogValue() slog.Value { return slog.StringValue(sealedText) }

// MarshalJSON is "[sealed]", so that a row that is encoded by mistake says so.
func (f Field) MarshalJSON() ([]byte, error) { return []byte(`"` + sealedText + `"`), nil }

// Value gives the database the bytes, NULL for the empty Field.
func (f Field) Value() (driver.Value, error) {
	if len(f) == 0 {
		return nil, nil
	}
	return []byte(f), nil
}

// Scan takes the bytes from the database.
func (f *Field) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*f = nil
	case []byte:
		*f = append(Field(nil), v...) // the driver may use its buffer again
	case string:
		*f = Field(v)
	default:
		return fmt.Errorf("seal: cannot scan %T into a Field", src)
	}
	return nil
}

// Clear (明文) wraps personal data in the clear on its way out of the reveal
// path, so that the type system shows every place that handles it. Printed,
// logged or marshalled it says "[clear]"; Value is the way to the data.
type Clear[T any] struct{ value T }

// Reveal wraps a value; only the reveal path and the owner's own view call it.
func Reveal[T any](v T) Clear[T] { return Clear[T]{v} }

// Value is the data in the clear.
func (c Clear[T]) Value() T { return c.value }

// String is "[clear]".
func (c Clear[T]) String() string { return clearText }

// Format writes "[clear]" whatever the verb.
func (c Clear[T]) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, clearText) }

// LogValue is "[clear]".
func (c Clear[T]) LogValue() slog.Value { return slog.StringValue(clearText) }

// MarshalJSON is "[clear]".
func (c Clear[T]) MarshalJSON() ([]byte, error) { return []byte(`"` + clearText + `"`), nil }
