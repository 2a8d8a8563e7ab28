// Package blob keeps files: attachments that citizens and staff upload, and
// call recordings.
//
// Check decides what may come in: an allow list by content, images drawn anew
// so that nothing but pixels stays, nothing active, no archives, no bombs.
// A Store keeps bytes under a random name, sealed under a key of their own whose
// wrapped form stands in the file, so that deleting the file shreds it. Disk is the store of one machine.
//
// The package knows no tickets and no rights: who may see a file is decided
// before Open, and a Ref is no permission. The api and report call it, and app
// for the citizen site.
package blob
