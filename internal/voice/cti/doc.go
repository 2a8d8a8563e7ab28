// Package cti brings in a foreign call centre (他厂商话务平台): one whose maker's
// switch, queue and agent phones stay, while our form, records and figures are
// used. It is the second seam of the telephone: voice/media is driven leg by leg,
// a Provider only tells and is only asked.
//
//	call centre ── batches of events ──► Center ──► records (voice/cdr), drafts, seats' pages
//	            ◄── commands, recordings ── Provider
//
// What a call centre tells is the call or the agent as it now stands, numbered
// without gaps. Center takes a batch whole, in one transaction with its number,
// so that each thing told has its effect once, whatever is repeated; when
// something is missing, or after a restart, it asks for a Snapshot. From the
// difference it writes the same records and events as our own exchange does, so
// figures, playback, call-backs and tickets know no difference.
//
// Webhook is the provider that ships: JSON over HTTP signed by Standard Webhooks,
// which a maker's CTI gateway reaches with a small bridge (docs/telephony.md).
package cti
