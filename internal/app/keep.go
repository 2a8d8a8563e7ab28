package app

import (
	"context"
	"fmt"

	"hotline/internal/db"
	"hotline/internal/job"
	"hotline/internal/policy"
	"hotline/internal/voice/cdr"
	"hotline/internal/voice/cti"
	"hotline/internal/voice/media/record"
)

// JobExpire destroys what was said when its period is over (话音到期销毁).
const JobExpire = "voice.expire"

// expireSoon has it done; while one waits or runs there is no second.
func (a *App) expireSoon(ctx context.Context) error {
	return a.DB.UpdateLane(ctx, db.LaneLow, func(tx *db.Tx) error {
		_, err := a.Jobs.Enqueue(tx, job.Spec{Kind: JobExpire, Key: "all"})
		return err
	})
}

func (a *App) expire(ctx context.Context, j *job.Running) error {
	_, doc := a.Policy.At(cdr.PolicyKeep, policy.Province, a.Clock.Now())
	k, err := cdr.ParseKeeping(doc)
	if err != nil {
		return job.Permanent(err)
	}
	calls, err := a.CDR.Expire(ctx, a.Audit, k, func(rec string) error { return record.Remove(a.recordings(), rec) })
	if err != nil {
		return err
	}
	talks, err := a.Text.Expire(ctx, a.Audit, k)
	if err != nil {
		return err
	}
	if _, err := cti.Prune(ctx, a.DB); err != nil {
		return err
	}
	j.SetResult(fmt.Sprintf("销毁%d通电话的录音和转写、%d个文字会话。", calls, talks))
	return nil
}
