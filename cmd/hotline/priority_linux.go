package main

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// realtime puts every thread under real-time scheduling, as sound that waits
// behind a database is heard; new threads inherit it. It says what was permitted.
func realtime() string {
	const priority = 10
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return "普通（无法读取线程：" + err.Error() + "）"
	}
	for _, t := range tasks {
		tid, _ := strconv.Atoi(t.Name())
		if err = unix.SchedSetAttr(tid, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: priority}, 0); err != nil {
			break
		}
	}
	if err == nil {
		return "实时，优先级" + strconv.Itoa(priority)
	}
	if unix.Setpriority(unix.PRIO_PROCESS, 0, -15) == nil {
		return "高（nice -15），系统不允许实时调度"
	}
	return "普通，系统不允许提高优先级，机器繁忙时声音可能断续"
}
