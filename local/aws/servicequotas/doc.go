// Package servicequotas is Service Quotas: the limits of the account in each
// Region, with AWS's defaults.
//
// It owns the values; the services that enforce them ask Value. Increases are
// granted at once, which real AWS does for small ones only. It fails with
// NoSuchResourceException for what it doesn't know.
package servicequotas
