package dbtest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotline/internal/clock"
	"hotline/internal/db"
)

var one = db.Schema{Name: "one", Steps: []db.Step{{SQL: "CREATE TABLE one (id BIGINT PRIMARY KEY)"}}}

const childEnv = "DBTEST_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	if err := fast.start(); err != nil { // and then it hangs, to be killed
		os.Stdout.WriteString("error " + err.Error() + "\n")
		return
	}
	os.Stdout.WriteString(fast.dir + "\n")
	select {}
}

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	for range 2 {
		Each(t, []db.Schema{one}, func(t *testing.T, d *db.DB, c *clock.Virtual) {
			if !c.Now().Equal(Start) || Start.Weekday() != time.Monday {
				t.Errorf("the clock stands at %v", c.Now())
			}
			if err := d.Update(t.Context(), func(tx *db.Tx) error {
				if n, err := db.Int(tx, `SELECT count(*) FROM one`); n != 0 || err != nil {
					t.Errorf("%d rows of somebody else: %v", n, err)
				}
				_, err := tx.Exec(`INSERT INTO one (id) VALUES ($1)`, tx.NewID())
				return err
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A test process that is killed leaves neither server nor directory behind.
func TestClusterEndsWithItsProcess(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	dir := strings.TrimSpace(line)
	if err != nil || strings.HasPrefix(dir, "error") {
		t.Fatal(dir, err)
	}
	server := pidIn(filepath.Join(dir, "data", "postmaster.pid"))
	if !runsIn(server, dir) {
		t.Fatalf("no server %d runs in %s", server, dir)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for n := 0; ; n++ {
		if _, err := os.Stat(dir); os.IsNotExist(err) && !runsIn(server, dir) {
			return
		}
		if n == 200 {
			t.Fatalf("server or directory %s are still there", dir)
		}
		_ = clock.System().Sleep(t.Context(), 100*time.Millisecond)
	}
}
