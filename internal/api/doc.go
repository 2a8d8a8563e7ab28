// Package api is the JSON face of the platform: types and handlers on
// net/http through huma, one file per room, no SQL, no business rule.
//
// Every route is made by route or raw, which demand an access rule and an
// audit annotation; a test walks the table they fill and fails on a route
// without either. Errors leave as RFC 9457 problem+json with a stable code
// and a Chinese detail.
package api
