package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ErrLocked says that another process holds the data directory.
var ErrLocked = errors.New("请先停止它，或用 --data 换一个目录")

// takeLock holds DIR/lock, so that never two processes write one SQLite.
func (a *App) takeLock() error {
	f, err := os.OpenFile(filepath.Join(a.Data, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return fmt.Errorf("数据目录 %s 正被另一个 hotline 进程使用，%w。", a.Data, ErrLocked)
	}
	a.lock = f
	return nil
}
