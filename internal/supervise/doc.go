// Package supervise keeps the ledger of 督办: who must answer for which ticket,
// until when, what he answered, and who struck it off.
//
// A follower of the event log lists candidates by rule (逾期, 二次不满意,
// 退单两次以上, 重复三次以上); a supervisor turns a candidate or any ticket in
// his jurisdiction into an order, level by level: 督办 before 约谈 before 通报. The ticket learns of it through its own
// action "supervise", taken in the same transaction, and its timeline shows
// every step as an event.
//
// The package never changes a ticket itself, and what people write here is
// kept redacted: an order holds no personal data. The api room calls it.
package supervise
