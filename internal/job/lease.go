package job

import (
	"context"

	"hotline/internal/db"
)

// sweep renews the leases of this process's jobs and takes back those whose
// worker is gone: they are ready again, or dead after their last attempt.
func (q *Queue) sweep(ctx context.Context) error {
	q.mu.Lock()
	mine := make([]*Running, 0, len(q.running))
	for _, r := range q.running {
		mine = append(mine, r)
	}
	q.mu.Unlock()
	var lost []*Running
	taken := int64(0)
	err := q.d.Update(ctx, func(tx *db.Tx) error {
		lost, taken = nil, 0
		now := tx.NowMS()
		for _, r := range mine {
			n, err := tx.Exec(`UPDATE job SET lease_until = $1 WHERE id = $2 AND attempt = $3 AND state = 'running'`,
				now+leaseFor.Milliseconds(), r.ID, r.Attempt)
			if err != nil {
				return err
			}
			if n == 0 {
				lost = append(lost, r)
			}
		}
		// A lease far ahead was given under a clock that was wrong.
		const gone = `WHERE state = 'running' AND (lease_until < $1 OR lease_until > $2)`
		far := now + 10*leaseFor.Milliseconds()
		if _, err := tx.Exec(`UPDATE job SET state = 'dead', updated_at = $1, lease_until = 0,
			last_error = '执行进程中断，已达最多尝试次数' `+gone+` AND attempt >= max_attempt`, now, far); err != nil {
			return err
		}
		var err error
		taken, err = tx.Exec(`UPDATE job SET state = 'ready', run_at = $1, updated_at = $1, lease_until = 0,
			last_error = '执行进程中断，重新排队' `+gone, now, far)
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range lost {
		q.mu.Lock()
		still := q.running[r.ID] == r
		q.mu.Unlock()
		if still { // it did not just finish by itself
			r.cancel(errLost)
		}
	}
	if taken > 0 {
		q.rouse()
	}
	return nil
}
