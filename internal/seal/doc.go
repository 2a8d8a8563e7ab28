// Package seal keeps personal data unreadable at rest.
//
// A data subject (a ticket, a contact) has a data key of its own, wrapped by a
// key-encryption key of the provider and stored in the subject's row. Fields
// are sealed under the data key and bound to table, row and field, so a value
// that is moved does not open. A keyed blind index finds a phone number
// without storing it. Erasing the wrapped key shreds the subject.
//
// The default suite is SM4-GCM with HMAC-SM3; "intl" is AES-256-GCM with
// HMAC-SHA-256. Checkpoints are signed with SM2 in either.
//
// The package never touches the database and never decides who may read:
// access does, and what it lets out is wrapped in Clear. The rooms access,
// audit, blob, ticket, intake and notify call it.
package seal
