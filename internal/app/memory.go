package app

import (
	"os"
	"runtime/debug"
)

// memoryLimit is where the collector begins to work harder, in bytes. The heap
// of a busy platform is some 60 MB; SQLite's caches lie beside it.
const memoryLimit = 160 << 20

// TuneMemory lets the heap grow to four times what is alive before it is
// collected: with so small a heap, collecting at twice costs a fifth of the
// processor under load. GOGC and GOMEMLIMIT of the environment go first.
func TuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
