package db

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"hotline/internal/fault"
)

const (
	// nodeLease is how long a node number stays with a process that died.
	nodeLease = 10 * time.Minute
	nodeRenew = time.Minute
	// nodeGrace is how far the clocks of two machines may stand apart.
	nodeGrace = time.Minute
)

// NodeSchema is the table of the node numbers in ids and who leases them.
func NodeSchema() Schema {
	return Schema{Name: "node", Steps: []Step{{SQL: `
CREATE TABLE node (
	id BIGINT PRIMARY KEY,
	holder TEXT NOT NULL,
	lease_until BIGINT NOT NULL
);`}}}
}

// errNodeLost refuses writes of a process whose node number may be another's.
var errNodeLost = fault.Unavailable("node_lost", "本进程与数据库失去联系过久，正在重新登记，请稍后再试。")

var errNodeTaken = errors.New("db: the node number is leased to another process")

// LeaseNode takes a node number that no other process on this database holds;
// ids made until then carry that of Config. A SQLite file has one process, so
// nothing is leased there. KeepNode must follow.
func (d *DB) LeaseNode(ctx context.Context) error {
	if d.engine != Postgres || d.readOnly {
		return nil
	}
	if d.holder == "" {
		d.holder = rand.Text()
	}
	for {
		node, err := d.freeNode(ctx)
		if err != nil {
			return err
		}
		if err = d.renewNode(ctx, node); !errors.Is(err, errNodeTaken) {
			return err
		}
	}
}

// freeNode finds the smallest number that is not leased, or a forgotten one.
func (d *DB) freeNode(ctx context.Context) (node int64, err error) {
	err = d.View(ctx, func(tx *Tx) error {
		held, err := All(tx, func(s Scanner) (n int64, err error) { return n, s.Scan(&n) },
			`SELECT id FROM node WHERE lease_until > $1 ORDER BY id`, d.wall.Now().Add(-nodeGrace).UnixMilli())
		for node = 1; len(held) > 0 && held[0] == node; node++ {
			held = held[1:]
		}
		return err
	})
	if err == nil && node > MaxNode {
		err = fmt.Errorf("db: all %d node numbers are leased", MaxNode)
	}
	return node, err
}

// renewNode takes or prolongs one number.
func (d *DB) renewNode(ctx context.Context, node int64) error {
	now := d.wall.Now()
	until := now.Add(nodeLease).UnixMilli()
	err := d.updateLane(ctx, LaneHigh, func(tx *Tx) error {
		n, err := tx.Exec(`INSERT INTO node (id, holder, lease_until) VALUES ($1, $2, $3)
 ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until WHERE node.holder = excluded.holder OR node.lease_until <= $4`,
			node, d.holder, until, now.Add(-nodeGrace).UnixMilli())
		if err == nil && n == 0 {
			err = errNodeTaken
		}
		return err
	})
	if err == nil {
		d.ids.node.Store(node)
		d.nodeUntil.Store(until)
	}
	return err
}

// KeepNode renews the leased number until ctx ends. While it cannot, writes go
// on until the lease runs out and are refused after that. The number is not
// given back: requests may still be finishing, and there are enough.
func (d *DB) KeepNode(ctx context.Context) error {
	if d.engine != Postgres || d.readOnly {
		<-ctx.Done()
		return nil
	}
	for d.wall.Sleep(ctx, nodeRenew) == nil {
		err := d.renewNode(ctx, d.ids.node.Load())
		if errors.Is(err, errNodeTaken) {
			err = d.LeaseNode(ctx)
		}
		if err != nil && ctx.Err() == nil {
			return err // whoever runs this tries again
		}
	}
	return nil
}

// mayWrite is false once another process may hold this one's node number.
func (d *DB) mayWrite() bool {
	until := d.nodeUntil.Load()
	return until == 0 || d.wall.Now().UnixMilli() < until
}
