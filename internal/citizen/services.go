package citizen

import (
	"context"
	"time"
)

// Services is what the public site needs from the platform. Every error is a
// *fault.Error; its Detail is shown to the visitor as it is, and its Fields are
// matched to the inputs of the form by the names given in Submission.
type Services interface {
	// Now is the platform's time.
	Now() time.Time
	// Counts gives today's live figures of the portal.
	Counts(ctx context.Context) (Counts, error)

	// Submit takes one request in. The same Submission.Key gives the same
	// Receipt again, with Repeated set, and makes no second ticket.
	Submit(ctx context.Context, s Submission) (Receipt, error)
	// Limit is the answer time of a type in a region, such as "5个工作日"; ""
	// when there is none.
	Limit(ctx context.Context, typ, region string) string
	// Regions lists the children of a region for the form; "" asks for the
	// first list (市州, and where wanted one entry for 全省或不确定).
	Regions(parent string) []Region
	// TypeHints lists the request types in the order of the form.
	TypeHints() []TypeHint

	// Progress is what the holder of ref may see. A wrong number, a wrong code
	// and an expired token give the same not_found error in the same time; too
	// many tries give too_many.
	Progress(ctx context.Context, ref Ref) (Progress, error)
	// SendCode sends a log-in code to a phone. The answer and its time are the
	// same whether or not the phone is known.
	SendCode(ctx context.Context, phone, ip string) error
	// ByPhone exchanges a phone and the code sent to it for a short-lived token
	// that opens every ticket of that phone.
	ByPhone(ctx context.Context, phone, code, ip string) (token string, err error)
	// Mine lists the tickets a token of ByPhone opens, newest first.
	Mine(ctx context.Context, token string) ([]Summary, error)
	// Follow resolves the key of a link /s/{key} in a notice to the ticket it
	// opens. Keys are random, expire, and say nothing about the person.
	Follow(ctx context.Context, key, ip string) (Ref, error)

	// Supplement adds words or files to a ticket.
	Supplement(ctx context.Context, ref Ref, text string, files []Upload) error
	// Urge asks the unit to hurry (催办).
	Urge(ctx context.Context, ref Ref, reason string) error
	// Evaluate records the citizen's verdict (评价).
	Evaluate(ctx context.Context, ref Ref, e Evaluation) error
	// Message sends a reply to the unit by 热线中转: the unit never learns who or
	// where the citizen is.
	Message(ctx context.Context, ref Ref, text string) error
	// Withdraw takes the request back (撤回); reason is a code of WithdrawReasons.
	Withdraw(ctx context.Context, ref Ref, reason, text string) error

	// Talk is the conversation (文字会话) that the link of a text message opens, for
	// the browser that holds it: holder is what WriteTalk gave it, "" for none. An
	// unknown or expired link gives not_found, another's forbidden.
	Talk(ctx context.Context, token, holder string) (Talk, error)
	// WriteTalk adds a message; keep is what the browser shall hold from now on.
	// The same key twice is one message; too many give too_many.
	WriteTalk(ctx context.Context, token, holder, key, text string) (keep string, err error)

	// SearchKnowledge finds public articles that are in force.
	SearchKnowledge(ctx context.Context, q, region string, limit int) ([]Article, error)
	// Article is one public article with its body; not_found when absent,
	// expired or not public.
	Article(ctx context.Context, id string) (Article, error)
	// HotArticles lists the public articles read most of late.
	HotArticles(ctx context.Context, limit int) ([]Article, error)
	// Lines lists the number registry (热线号码台账) in dialling order.
	Lines(ctx context.Context) ([]Line, error)

	// Challenge tells whether the address is above the free rate (10 requests a
	// minute) at this moment and gives a fresh proof of work if so. It counts
	// nothing.
	Challenge(ip string) (*Challenge, bool)
	// VerifyChallenge counts one request of the address and is nil while the
	// address is within the free rate, or when the answer is right; otherwise a
	// too_many error. Submitting and the look-up by number call it once each;
	// SMS codes have limits of their own and are the way past it without a script.
	VerifyChallenge(ctx context.Context, ip string, a Answer) error

	// DemoEnabled tells whether this is a demonstration with invented data.
	DemoEnabled() bool
	// Play hands the ticket to the demonstration, which plays the other roles
	// until it is closed.
	Play(ctx context.Context, ref Ref) error
	// DemoPhones lists the messages of the simulated phone 模拟手机, newest first.
	DemoPhones(ctx context.Context, phone string) ([]Message, error)
}

// Options are the fixed settings of a site.
type Options struct {
	// Name is the name of the hotline, such as "湖北省12345政务服务便民热线".
	Name string
	// Host is the responsible body named in the footer and the notices.
	Host string
	// Key seals cookies and half-filled forms: at least 32 bytes, the same in
	// every process of the site. Nil makes a random one, good for one process.
	Key []byte
	// Secure marks cookies for HTTPS only and names them with __Host-.
	Secure bool
	// Report is told of defects that visitors see only as "系统内部错误"; nil
	// writes them to slog.
	Report func(ctx context.Context, err error)
}
