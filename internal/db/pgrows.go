package db

import (
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

// Type numbers of PostgreSQL (pg_type.oid) that get a decoder of their own.
const (
	oidBool   = 16
	oidBytea  = 17
	oidInt8   = 20
	oidInt2   = 21
	oidInt4   = 23
	oidFloat8 = 701
)

// decoder turns a value as received into one of database/sql's.
type decoder func([]byte) driver.Value

func decodeText(b []byte) driver.Value  { return string(b) }
func decodeBytes(b []byte) driver.Value { return append([]byte{}, b...) }
func decodeInt8(b []byte) driver.Value  { return int64(binary.BigEndian.Uint64(b)) }
func decodeInt4(b []byte) driver.Value  { return int64(int32(binary.BigEndian.Uint32(b))) }
func decodeInt2(b []byte) driver.Value  { return int64(int16(binary.BigEndian.Uint16(b))) }

// decodeBool gives 0 or 1, which is what SQLite gives for a comparison.
func decodeBool(b []byte) driver.Value { return int64(b[0]) }
func decodeFloat8(b []byte) driver.Value {
	return math.Float64frombits(binary.BigEndian.Uint64(b))
}

// newPostgresStmt chooses how each column is sent (1 binary, 0 text) and read.
func newPostgresStmt(sd *pgconn.StatementDescription) *postgresStmt {
	st := &postgresStmt{sd: sd}
	for _, f := range sd.Fields {
		decode, format := decoder(decodeText), int16(0)
		switch f.DataTypeOID {
		case oidInt8:
			decode, format = decodeInt8, 1
		case oidInt4:
			decode, format = decodeInt4, 1
		case oidInt2:
			decode, format = decodeInt2, 1
		case oidBool:
			decode, format = decodeBool, 1
		case oidFloat8:
			decode, format = decodeFloat8, 1
		case oidBytea:
			decode, format = decodeBytes, 1
		}
		st.decode = append(st.decode, decode)
		st.formats = append(st.formats, format)
		st.columns = append(st.columns, f.Name)
	}
	return st
}

// encodeArguments writes the arguments; all but BYTEA go as text, which the
// server reads by the type it inferred, so a number fits any numeric column.
func encodeArguments(sd *pgconn.StatementDescription, args []driver.NamedValue) ([][]byte, []int16, error) {
	if len(args) != len(sd.ParamOIDs) {
		return nil, nil, fmt.Errorf("db: statement wants %d arguments, got %d", len(sd.ParamOIDs), len(args))
	}
	if len(args) == 0 {
		return nil, nil, nil
	}
	values, formats := make([][]byte, len(args)), make([]int16, len(args))
	for i, a := range args {
		switch v := a.Value.(type) {
		case nil:
		case int64:
			values[i] = strconv.AppendInt(nil, v, 10)
		case float64:
			values[i] = strconv.AppendFloat(nil, v, 'g', -1, 64)
		case string:
			values[i] = []byte(v)
		case []byte:
			values[i] = v
		default:
			return nil, nil, fmt.Errorf("db: argument %d: %T is not stored", a.Ordinal, v)
		}
		if sd.ParamOIDs[i] == oidBytea {
			formats[i] = 1
		}
	}
	return values, formats, nil
}

// postgresRows reads rows as they come. When another statement wants the
// connection, or the transaction ends, the rest is taken into memory.
type postgresRows struct {
	s       *postgresSession
	from    answer
	columns []string
	decode  []decoder
	ahead   [][]driver.Value
	ended   bool // nothing more comes from the server
	closed  bool
	err     error
}

// Columns serves database/sql.
func (r *postgresRows) Columns() []string { return r.columns }

// fetch reads one more row from the server into ahead.
func (r *postgresRows) fetch() {
	if r.ended {
		return
	}
	if !r.from.reader.NextRow() {
		r.end()
		return
	}
	row := make([]driver.Value, len(r.decode))
	for i, b := range r.from.reader.Values() {
		if b != nil {
			row[i] = r.decode[i](b)
		}
	}
	r.ahead = append(r.ahead, row)
}

func (r *postgresRows) end() {
	r.ended = true
	_, err := r.from.close()
	if r.err = r.s.named(err); r.s.live == r {
		r.s.live = nil
	}
}

func (r *postgresRows) buffer() {
	for !r.ended {
		r.fetch()
	}
}

// Next serves database/sql.
func (r *postgresRows) Next(dest []driver.Value) error {
	if r.closed {
		return errRowsOver
	}
	if len(r.ahead) == 0 {
		r.fetch()
	}
	if len(r.ahead) == 0 {
		if r.err != nil {
			return r.err
		}
		return io.EOF
	}
	copy(dest, r.ahead[0])
	r.ahead = r.ahead[1:]
	return nil
}

// Close serves database/sql.
func (r *postgresRows) Close() error {
	if r.closed {
		return nil
	}
	r.closed, r.ahead = true, nil
	if !r.ended {
		r.end()
	}
	for i, k := range r.s.kept {
		if k == r {
			r.s.kept = append(r.s.kept[:i], r.s.kept[i+1:]...)
			break
		}
	}
	return r.err
}
