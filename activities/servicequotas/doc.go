// Package servicequotas owns the question whether the surviving Region may carry
// everything: its quota of running vCPUs against those that run. Quotas are read
// at run time, never assumed. It changes nothing and fails with the kinds of
// package cloud.
package servicequotas
