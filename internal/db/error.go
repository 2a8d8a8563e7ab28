package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"hotline/internal/fault"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// PostgreSQL error classes that db acts on.
const (
	pgUnique         = "23505"
	pgSerialisation  = "40001"
	pgDeadlock       = "40P01"
	pgCachedPlan     = "0A000" // "cached plan must not change result type"
	pgDuplicateTable = "42P07"
)

func pgCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// IsUnique tells whether err says that a unique index or primary key is hurt.
func IsUnique(err error) bool {
	switch sqliteCode(err) {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return true
	}
	return pgCode(err) == pgUnique
}

// isConflict tells whether the same closure may well succeed when run again.
func isConflict(err error) bool {
	switch pgCode(err) {
	case pgSerialisation, pgDeadlock:
		return true
	case pgCachedPlan:
		return strings.Contains(err.Error(), "cached plan")
	}
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return true
	}
	return false
}

// isLost tells whether the connection is gone. Before COMMIT was sent the
// transaction is gone with it for certain.
func isLost(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var connect *pgconn.ConnectError
	var network net.Error
	switch code := pgCode(err); {
	case code != "":
		return strings.HasPrefix(code, "57P") || strings.HasPrefix(code, "08")
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return true
	}
	return errors.As(err, &connect) || errors.As(err, &network) || strings.Contains(err.Error(), "conn closed")
}

// isDiskFault tells whether the file system failed; after that SQLite's idea
// of what is on disk cannot be trusted, and a second fsync proves nothing.
func isDiskFault(err error) bool { return sqliteCode(err)&0xff == sqlite3.SQLITE_IOERR }

// wrap names the statement that failed, without its arguments.
func wrap(err error, text string) error {
	if err == nil {
		return nil
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 160 {
		text = text[:160] + "…"
	}
	return fmt.Errorf("db: %w [%s]", err, text)
}

func errBusy(err error) error {
	return fault.Unavailable("database_busy", "数据库繁忙，请稍后重试。").Because(err)
}

func errDown(err error) error {
	return fault.Unavailable("database_down", "数据库暂时不可用，请稍后重试。").Because(err)
}

func errUnknown(err error) error {
	return fault.Unavailable("commit_unknown", "提交时与数据库的连接中断，结果未知，请刷新后核对再操作。").Because(err)
}

func errClosed() error {
	return fault.Unavailable("database_closed", "系统正在停止，请稍后重试。")
}

func errOverloaded() error {
	return fault.Unavailable("database_overloaded", "系统繁忙，等待写入的请求过多，请稍后重试。")
}

func errCrowded() error {
	return fault.Unavailable("database_crowded", "系统繁忙，同时查询的人过多，请稍后重试。")
}
