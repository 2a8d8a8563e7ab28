package db

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// statements of Exec, All, One and Int go to the session itself: database/sql
// takes a lock, a context and reflection for each statement and each column,
// which costs more than a look-up in an index.

// named turns the arguments into the driver's form.
func (tx *Tx) named(args []any) ([]driver.NamedValue, error) {
	if len(args) == 0 {
		return nil, nil
	}
	out := make([]driver.NamedValue, len(args))
	for i, a := range args {
		out[i].Ordinal, out[i].Value = i+1, a
		if err := plainValue(&out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// direct gives the session of the transaction's connection. The transaction
// alone uses it, so it may be kept while database/sql looks away.
func (tx *Tx) direct() (session, error) {
	if tx.sess != nil {
		return tx.sess, nil
	}
	err := tx.conn.Raw(func(c any) error { tx.sess = c.(session); return nil })
	return tx.sess, err
}

// exec runs a statement and tells how many rows it changed.
func (tx *Tx) exec(text string, args []any) (int64, error) {
	s, err := tx.direct()
	if err != nil {
		return 0, err
	}
	values, err := tx.named(args)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(untied, text, values)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// each reads every row of a query; it ends early when fn answers false.
func (tx *Tx) each(text string, args []any, fn func(Scanner) (bool, error)) (err error) {
	if tx.over {
		return errOver
	}
	s, err := tx.direct()
	if err != nil {
		return tx.note(wrap(err, text))
	}
	values, err := tx.named(args)
	if err != nil {
		return tx.note(wrap(err, text))
	}
	rows, err := s.QueryContext(untied, text, values)
	if err != nil {
		return tx.note(wrap(err, text))
	}
	defer func() {
		if e := rows.Close(); e != nil && err == nil {
			err = tx.note(wrap(e, text))
		}
	}()
	line := row{values: make([]driver.Value, len(rows.Columns()))}
	for {
		if err := rows.Next(line.values); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return tx.note(wrap(err, text))
		}
		more, err := fn(&line)
		if err != nil {
			return wrap(err, text)
		}
		if !more {
			return nil
		}
	}
}

// All reads every row of a query with scan.
func All[T any](tx *Tx, scan func(Scanner) (T, error), text string, args ...any) ([]T, error) {
	var all []T
	err := tx.each(text, args, func(s Scanner) (bool, error) {
		v, err := scan(s)
		all = append(all, v)
		return true, err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// One reads the one row of a query with scan; sql.ErrNoRows when there is none.
func One[T any](tx *Tx, scan func(Scanner) (T, error), text string, args ...any) (v T, err error) {
	found := false
	err = tx.each(text, args, func(s Scanner) (bool, error) {
		var err error
		v, err = scan(s)
		found = true
		return false, err
	})
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return v, nil
}

// Int reads one number; NULL (the sum of nothing) is 0.
func Int(tx *Tx, text string, args ...any) (int64, error) {
	n, err := One(tx, scanInt, text, args...)
	return n.Int64, err
}

func scanInt(s Scanner) (n sql.NullInt64, err error) { return n, s.Scan(&n) }

// Among gives those of some values that a column of a table holds.
func Among(tx *Tx, table, column string, values []string) ([]string, error) {
	if len(values) == 0 {
		return nil, nil
	}
	marks, args := make([]string, len(values)), make([]any, len(values))
	for i, v := range values {
		marks[i], args[i] = "$"+strconv.Itoa(i+1), v
	}
	return All(tx, func(s Scanner) (v string, err error) { return v, s.Scan(&v) }, `SELECT `+column+` FROM `+table+` WHERE `+column+` IN (`+strings.Join(marks, ",")+`)`, args...)
}

// row is one line of an answer.
type row struct{ values []driver.Value }

// Scan copies the columns into dest, as *sql.Rows does.
func (r *row) Scan(dest ...any) error {
	if len(dest) != len(r.values) {
		return fmt.Errorf("%d columns for %d destinations", len(r.values), len(dest))
	}
	for i, d := range dest {
		if err := assign(d, r.values[i]); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return nil
}

// assign stores a value of the driver; the usual types first.
func assign(dest any, value driver.Value) error {
	switch d := dest.(type) {
	case *int64:
		if v, ok := value.(int64); ok {
			*d = v
			return nil
		}
	case *string:
		if v, ok := value.(string); ok {
			*d = v
			return nil
		}
	case *int:
		if v, ok := value.(int64); ok {
			*d = int(v)
			return nil
		}
	case *[]byte:
		switch v := value.(type) {
		case []byte:
			*d = v // the sessions give each value its own memory
			return nil
		case nil:
			*d = nil
			return nil
		}
	case *bool:
		if v, ok := value.(int64); ok {
			*d = v != 0
			return nil
		}
	case *any:
		*d = value
		return nil
	case sql.Scanner:
		return d.Scan(value)
	}
	return assignKind(reflect.ValueOf(dest), value)
}

// assignKind stores a value by the kind of what dest points to: named types,
// floats, pointers that NULL makes nil, and numbers written as text.
func assignKind(dest reflect.Value, value driver.Value) error {
	if dest.Kind() != reflect.Pointer || dest.IsNil() {
		return fmt.Errorf("destination %s is no pointer", dest.Type())
	}
	to := dest.Elem()
	if to.Kind() == reflect.Pointer {
		if value == nil {
			to.SetZero()
			return nil
		}
		to.Set(reflect.New(to.Type().Elem()))
		return assign(to.Interface(), value)
	}
	switch v := value.(type) {
	case int64:
		switch {
		case to.CanInt() && !to.OverflowInt(v):
			to.SetInt(v)
			return nil
		case to.CanUint() && v >= 0 && !to.OverflowUint(uint64(v)):
			to.SetUint(uint64(v))
			return nil
		case to.CanFloat():
			to.SetFloat(float64(v))
			return nil
		case to.Kind() == reflect.Bool:
			to.SetBool(v != 0)
			return nil
		}
	case float64:
		if to.CanFloat() {
			to.SetFloat(v)
			return nil
		}
	case string:
		switch {
		case to.Kind() == reflect.String:
			to.SetString(v)
			return nil
		case to.Kind() == reflect.Slice && to.Type().Elem().Kind() == reflect.Uint8:
			to.SetBytes([]byte(v))
			return nil
		}
	case []byte:
		switch {
		case to.Kind() == reflect.Slice && to.Type().Elem().Kind() == reflect.Uint8:
			to.SetBytes(v)
			return nil
		case to.Kind() == reflect.String:
			to.SetString(string(v))
			return nil
		}
	case nil:
		if to.Kind() == reflect.Slice {
			to.SetZero()
			return nil
		}
	}
	return scanOther(dest, value)
}

// scanOther leaves the rare pairs (a sum that PostgreSQL answers as numeric
// text, say) to the rules of database/sql.
func scanOther(dest reflect.Value, value driver.Value) error {
	var n sql.Null[int64]
	var f sql.Null[float64]
	switch to := dest.Elem(); {
	case value == nil:
		return fmt.Errorf("NULL does not fit %s", to.Type())
	case to.CanInt():
		if err := n.Scan(value); err != nil {
			return err
		}
		if to.OverflowInt(n.V) {
			return fmt.Errorf("%d does not fit %s", n.V, to.Type())
		}
		to.SetInt(n.V)
		return nil
	case to.CanFloat():
		if err := f.Scan(value); err != nil {
			return err
		}
		to.SetFloat(f.V)
		return nil
	case to.Kind() == reflect.Bool:
		var b sql.Null[bool]
		if err := b.Scan(value); err != nil {
			return err
		}
		to.SetBool(b.V)
		return nil
	case to.Kind() == reflect.String:
		var s sql.Null[string]
		if err := s.Scan(value); err != nil {
			return err
		}
		to.SetString(s.V)
		return nil
	}
	return fmt.Errorf("%T does not fit %s", value, dest.Elem().Type())
}
