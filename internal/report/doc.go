// Package report turns figures and lists into workbooks.
//
// An export is a job: it runs beside the platform, says how far it is, and
// leaves a file that its creator alone may fetch, for a week. Every workbook
// carries a sheet that names the account and the time (水印), phones are masked
// as on the screen, and no cell can act as a formula.
//
// The package decides nothing about who may see what: it lists through
// ticket.Service and measure.Service as the actor who asked. The api room
// calls it; app registers its jobs.
package report
